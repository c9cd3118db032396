"""A run as one file for others: map, thumbnails, units, and the decoder where the mouse is, without a server.

contents.py, sheets.py         what the page shows: arrays as JSON-able data, many pictures as one
runtime.py                     onnxruntime-web, which runs the exported decoder within the page
page.html, page.css, page.js   the page
writing.py                     all of it as one file
"""

from diabolo.explorer.shared.writing import save_page

__all__ = ["save_page"]
