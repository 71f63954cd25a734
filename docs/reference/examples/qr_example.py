"""Shows the QR code of a page in a terminal, and makes a picture of it."""

from genauth_async import qr

url = "https://example.genauth.ai/login"
print(qr.to_terminal(url))
picture = qr.to_png(url, scale=6)
assert picture.startswith(b"\x89PNG")
