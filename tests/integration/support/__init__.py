"""What the integration tests are made of: real servers, real certificates, the real binary."""
