"""Pictures as they arrive: checked by their headers, decoded, turned upright, and nothing else kept of them.

image = open_image(content)              the format, size and claims of a file, before anything is decoded
decode_color(image, reduce=4)            blue, green, red at a quarter of the size
decode_grey(image)
required_dpi(requested, image.header)    the resolution that somebody stated
"""
