"""What a browser loads: the pages, their assets, `/docs` and the document that describes every route."""
