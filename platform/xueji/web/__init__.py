"""What every page needs: session per request, access rules, layout, error pages, static files."""
