// Servers and fixtures for tests.
