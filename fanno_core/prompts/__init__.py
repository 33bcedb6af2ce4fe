"""One text file a prompt, and the loader. What prompts share comes first, what varies comes last."""
