"""What installs, trains and runs Passerelle on one machine."""
