"""What a run will ask of its teacher, estimated before it starts: a few rows tried out, and scaled up."""
