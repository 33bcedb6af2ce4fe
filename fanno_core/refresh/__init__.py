"""What a version of the data set carries to the next night, and how documents come, change and go."""
