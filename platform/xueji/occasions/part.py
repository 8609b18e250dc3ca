"""What occasions bring to the application: the words of what is refused in any of them."""

from __future__ import annotations

from xueji.web.manifest import Manifest

MANIFEST = Manifest("xueji.occasions")
