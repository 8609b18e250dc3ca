"""Class sessions in a room, who took part in them, and what others say of it."""
