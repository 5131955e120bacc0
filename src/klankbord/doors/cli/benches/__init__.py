"""The measurements of `klankbord bench`, each against a desk of its own that is thrown away afterwards."""
