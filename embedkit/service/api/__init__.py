"""Routes and schemas: what is asked, and how answers look."""
