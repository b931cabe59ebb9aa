"""Data in, PDF, QR or spreadsheet bytes out; where the data comes from is not its business."""
