"""The register of people."""

import csv
import io

from flask import Response, abort, jsonify, request
from sqlalchemy import insert, select

from models import Person, create_app, session

app = create_app()


@app.get("/v1/people")
def people():
    query = select(Person).order_by(Person.id)
    if request.args.get("limit") != "all":
        query = query.limit(request.args.get("limit", 100, type=int))
    response = jsonify([person.to_dict() for person in session.scalars(query)])
    response.add_etag()
    return response.make_conditional(request)


@app.get("/v1/people/<int:id>")
def person(id):
    found = session.get(Person, id) or abort(404)
    return jsonify(found.to_dict())


@app.patch("/v1/people/<int:id>")
def patch(id):
    found = session.get(Person, id) or abort(404)
    for field, column in (
        ("name", "name"),
        ("isAlive", "is_alive"),
        ("isKing", "is_king"),
        ("placeId", "place_id"),
    ):
        if field in request.json:
            setattr(found, column, request.json[field])
    session.commit()
    return jsonify(found.to_dict())


@app.post("/v1/people/import")
def take():
    rows = [
        {
            "name": row["name"],
            "is_alive": row["isAlive"] == "true",
            "is_king": row["isKing"] == "true",
            "place_id": int(row["placeId"]) if row["placeId"] else None,
        }
        for row in csv.DictReader(io.StringIO(request.get_data(as_text=True)))
    ]
    session.execute(insert(Person), rows)
    session.commit()
    return jsonify({"read": len(rows), "created": len(rows)})


@app.get("/v1/people/export")
def export():
    columns = (Person.id, Person.name, Person.is_alive, Person.place_id, Person.is_king)
    rows = session.execute(
        select(*columns).order_by(Person.id).execution_options(yield_per=5000)
    )

    def lines():
        yield "id,name,isAlive,placeId,isKing\n"
        for part in rows.partitions():
            out = io.StringIO()
            writer = csv.writer(out, lineterminator="\n")
            for id, name, is_alive, place_id, is_king in part:
                alive, king = ("true" if truth else "false" for truth in (is_alive, is_king))
                writer.writerow((id, name, alive, place_id, king))
            yield out.getvalue()

    return Response(lines(), content_type="text/csv")
