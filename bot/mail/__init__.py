"""Mail: what is filed goes to the préfecture's mailbox."""
