"""Sessions, codes and tickets of the hosted login."""
