import requests
import json

class TenantAPIClient:
    def __init__(self, base_url, api_key):
        self.base_url = base_url
        self.headers = {
            'X-API-Key': api_key,
            'Content-Type': 'application/json'
        }

    def create_bot(self, name, channel_type, description=None, welcome_message=None, system_prompt=None):
        """Create a new bot"""
        data = {
            'name': name,
            'channel_type': channel_type
        }

        if description:
            data['description'] = description
        if welcome_message:
            data['welcome_message'] = welcome_message
        if system_prompt:
            data['system_prompt'] = system_prompt

        response = requests.post(
            f'{self.base_url}/bots',
            headers=self.headers,
            json=data
        )

        return response.json()

    def list_bots(self, page=1, per_page=20, channel_type=None, is_active=None):
        """List all bots"""
        params = {'page': page, 'per_page': per_page}

        if channel_type:
            params['channel_type'] = channel_type
        if is_active is not None:
            params['is_active'] = is_active

        response = requests.get(
            f'{self.base_url}/bots',
            headers=self.headers,
            params=params
        )

        return response.json()

    def send_message(self, session_id, message):
        """Send a message and get AI response"""
        response = requests.post(
            f'{self.base_url}/conversations/{session_id}/messages',
            headers=self.headers,
            json={'message': message}
        )

        return response.json()

    def get_analytics(self, period=30):
        """Get analytics overview"""
        response = requests.get(
            f'{self.base_url}/analytics/overview',
            headers=self.headers,
            params={'period': period}
        )

        return response.json()

# Usage example
if __name__ == '__main__':
    # Initialize client
    client = TenantAPIClient(
        base_url='https://your-domain.com/api/v1',
        api_key='tk_your_api_key_here'
    )

    # Create a bot
    bot_result = client.create_bot(
        name='Support Bot',
        channel_type='webchat',
        description='Customer support assistant',
        welcome_message='Hi! How can I help you?',
        system_prompt='You are a helpful customer support agent.'
    )

    if bot_result['success']:
        print(f"Bot created: {bot_result['data']['name']}")
        bot_id = bot_result['data']['id']
    else:
        print(f"Error creating bot: {bot_result['error']}")

    # List all bots
    bots_result = client.list_bots()
    if bots_result['success']:
        print(f"Total bots: {len(bots_result['data'])}")

    # Send a message
    message_result = client.send_message('session-123', 'Hello, I need help')
    if message_result['success']:
        print(f"Bot response: {message_result['data']['bot_response']['message']}")

    # Get analytics
    analytics_result = client.get_analytics(period=7)
    if analytics_result['success']:
        analytics = analytics_result['data']
        print(f"Total conversations: {analytics['total_conversations']}")
        print(f"Total messages: {analytics['total_messages']}")
