"""The register of places."""

from flask import abort, jsonify, request
from sqlalchemy import select

from models import Place, create_app, session

app = create_app()


@app.get("/v1/places")
def places():
    limit = request.args.get("limit", 100, type=int)
    found = session.scalars(select(Place).order_by(Place.id).limit(limit))
    return jsonify([place.to_dict() for place in found])


@app.get("/v1/places/<int:id>")
def place(id):
    found = session.get(Place, id) or abort(404)
    return jsonify(found.to_dict())
