"""What the assistant is measured on, and how: `make bench`. Nothing here is ever learnt from."""
