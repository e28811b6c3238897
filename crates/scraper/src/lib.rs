//! Websites to pages: egress guard, robots.txt, crawling.
