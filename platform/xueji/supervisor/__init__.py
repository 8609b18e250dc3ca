"""`xueji up`: starts the processes of an installation in order, keeps them up, and stops them in reverse."""
