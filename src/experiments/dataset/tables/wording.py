"""Numbers as people say them."""


def counted(number: int, one: str, many: str = "") -> str:
    """1, "image" -> "1 image"; 2, "image" -> "2 images"; `many` where an s is not enough."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
