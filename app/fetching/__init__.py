"""Networks of others, fetched by checksum, converted for ONNX Runtime and put into a bundle on this machine.

The repository carries what is its own: pins, conversion, calibration constants (aggregates) and the card. The
weights stay with whoever distributes them, and reach a machine only when its operator fetches them.

    pinned files ──obtaining──▶ bytes ──conversion──▶ ONNX ──bundle_folder──▶ models/<id>@<version>/
"""
