"""Get OAuth tokens with the consent of an administrator of Gong."""
