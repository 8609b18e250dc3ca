"""Evidence bundles and the offline verifier that checks them."""
