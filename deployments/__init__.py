"""How it is run: command line, Prefect server, pools and schedules."""
