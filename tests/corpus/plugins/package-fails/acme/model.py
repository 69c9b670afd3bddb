SCALE = {}["scale"]
