// Initialize API client
const API_BASE = 'https://your-domain.com/api/v1';
const API_KEY = 'tk_your_api_key_here';

const headers = {
  'X-API-Key': API_KEY,
  'Content-Type': 'application/json'
};

// Create a new bot
async function createBot() {
  const response = await fetch(`${API_BASE}/bots`, {
    method: 'POST',
    headers: headers,
    body: JSON.stringify({
      name: 'Customer Service Bot',
      channel_type: 'webchat',
      description: 'Handles customer inquiries',
      welcome_message: 'Hello! How can I assist you today?',
      system_prompt: 'You are a helpful customer service representative.'
    })
  });

  const result = await response.json();
  if (result.success) {
    console.log('Bot created:', result.data);
    return result.data.id;
  } else {
    console.error('Error creating bot:', result.error);
  }
}

// Send a message and get AI response
async function sendMessage(sessionId, message) {
  const response = await fetch(`${API_BASE}/conversations/${sessionId}/messages`, {
    method: 'POST',
    headers: headers,
    body: JSON.stringify({ message: message })
  });

  const result = await response.json();
  if (result.success) {
    console.log('User message:', result.data.user_message.message);
    console.log('Bot response:', result.data.bot_response.message);
    return result.data.bot_response.message;
  } else {
    console.error('Error sending message:', result.error);
  }
}

// Get analytics overview
async function getAnalytics() {
  const response = await fetch(`${API_BASE}/analytics/overview?period=7`, {
    method: 'GET',
    headers: headers
  });

  const result = await response.json();
  if (result.success) {
    console.log('Analytics:', result.data);
    return result.data;
  } else {
    console.error('Error getting analytics:', result.error);
  }
}

// Usage example
async function main() {
  try {
    // Create a bot
    const botId = await createBot();

    // Send a message
    await sendMessage('session-123', 'What are your business hours?');

    // Get analytics
    await getAnalytics();
  } catch (error) {
    console.error('Error:', error);
  }
}

main();
