"""Files of shapes that lead elsewhere, or never end."""

import json
import runpy
import sqlite3
import zipfile
from pathlib import Path

import geopandas
from shapely import box

FIELDS = [box(500000, 3999910, 500060, 4000000), box(500060, 3999910, 500120, 3999990)]
RASTERS = runpy.run_path(str(Path(__file__).with_name("rasters.py")))
tiff, written = (RASTERS["tiff"], RASTERS["written"])


def shapes_of_a_scene(folder):
    tiff(folder / "scene.tif")
    return geopandas.GeoDataFrame({"crop": ["a", "b"]}, geometry=FIELDS, crs="EPSG:32633")


def geopackage_view(folder, secret, address):
    """A view that never ends, registered as a layer."""
    shapes_of_a_scene(folder).to_file(folder / "a.gpkg", layer="a", engine="pyogrio")
    with sqlite3.connect(folder / "a.gpkg") as base:
        base.execute(
            "CREATE VIEW b AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT n.i AS fid, a.geom AS geom, a.crop AS crop FROM n, a"
        )
        for table in ("gpkg_contents", "gpkg_geometry_columns"):
            base.execute(f"UPDATE {table} SET table_name = 'b'")
    base.close()
    return folder / "a.gpkg"


def geopackage_trigger(folder, secret, address):
    shapes_of_a_scene(folder).to_file(folder / "a.gpkg", layer="a", engine="pyogrio")
    with sqlite3.connect(folder / "a.gpkg") as base:
        base.execute("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; END")
    base.close()
    return folder / "a.gpkg"


def geopackage_virtual_table(folder, secret, address):
    shapes_of_a_scene(folder).to_file(secret.with_suffix(".gpkg"), layer="a", engine="pyogrio")
    secret.with_suffix(".gpkg").rename(secret)
    shapes_of_a_scene(folder).to_file(folder / "a.gpkg", layer="a", engine="pyogrio")
    with sqlite3.connect(folder / "a.gpkg") as base:
        base.execute("DROP TABLE a")
        base.execute("PRAGMA writable_schema = ON")
        base.execute(
            "INSERT INTO sqlite_master VALUES ('table', 'a', 'a', 0, ?)",
            (f"CREATE VIRTUAL TABLE a USING VirtualOGR('{secret}')",),
        )
    base.close()
    return folder / "a.gpkg"


def archive_as_geopackage(folder, secret, address):
    shapes_of_a_scene(folder).to_file(folder / "b.gpkg", engine="pyogrio")
    with zipfile.ZipFile(folder / "a.gpkg", "w") as archive:
        archive.write(folder / "b.gpkg", "b.gpkg")
    return folder / "a.gpkg"


def geojson_with_a_linked_crs(folder, secret, address):
    shapes_of_a_scene(folder).to_file(folder / "a.geojson", engine="pyogrio")
    table = json.loads((folder / "a.geojson").read_text())
    table["crs"] = {"type": "link", "properties": {"href": f"{address}/crs", "type": "ogcwkt"}}
    return written(folder / "a.geojson", json.dumps(table))


def json_of_a_service(folder, secret, address):
    shapes_of_a_scene(folder)
    links = [
        {"rel": each, "href": f"{address}/{each}", "type": "application/json"}
        for each in ("data", "conformance", "service-desc", "self")
    ]
    return written(folder / "a.json", json.dumps({"title": "a", "links": links}))


def topology_of_a_service(folder, secret, address):
    shapes_of_a_scene(folder)
    table = {
        "objectIdFieldName": "OBJECTID", "geometryType": "esriGeometryPolygon",
        "exceededTransferLimit": True, "features": [], "url": f"{address}/FeatureServer/0/query",
    }  # fmt: skip
    return written(folder / "a.json", json.dumps(table))


def shapefile_with_a_linked_crs(folder, secret, address):
    shapes_of_a_scene(folder).to_file(folder / "a.shp", engine="pyogrio")
    written(folder / "a.prj", f"{address}/crs")
    return folder / "a.shp"


def virtual_shapes(folder, secret, address):
    shapes_of_a_scene(folder).to_file(secret.with_suffix(".geojson"), engine="pyogrio")
    secret.with_suffix(".geojson").rename(secret)
    return written(
        folder / "a.geojson",
        f"<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>{secret}</SrcDataSource>"
        "</OGRVRTLayer></OGRVRTDataSource>",
    )
