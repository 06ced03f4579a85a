"""Questions whose answer is a number: values at points, rankings of detections, overlaps of boxes."""
