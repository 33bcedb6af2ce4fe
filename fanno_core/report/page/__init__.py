"""The report's page: one HTML file that asks the network for nothing."""
