"""What the services need of the outside world, as interfaces. Adapters implement them."""
