"""Login with Twitch, sessions, and the doors of the web server."""
