"""The join over HTTP: all people are fetched, and grouped here."""

import os
from collections import defaultdict

import requests
from flask import Flask, Response, abort, jsonify, request

app = Flask(__name__)
app.json.sort_keys = False
app.json.compact = True
http = requests.Session()

PLACES = os.environ["PLACES"]
PEOPLE = os.environ["PEOPLE"]


def ask(url):
    answer = http.get(url)
    if answer.status_code == 404:
        abort(404)
    answer.raise_for_status()
    return answer.json()


def people_by_place():
    groups = defaultdict(list)
    for person in ask(f"{PEOPLE}/v1/people?limit=all"):
        groups[person.pop("placeId")].append(person)
    return groups


@app.get("/v1/people-per-place")
def people_per_place():
    limit = request.args.get("limit", 100, type=int)
    places = ask(f"{PLACES}/v1/places?limit={limit}")
    groups = people_by_place()
    response = jsonify([{**place, "people": groups.get(place["id"], [])} for place in places])
    response.add_etag()
    return response.make_conditional(request)


@app.get("/v1/people-per-place/<int:id>")
def one_place(id):
    place = ask(f"{PLACES}/v1/places/{id}")
    return jsonify({**place, "people": people_by_place().get(id, [])})


@app.get("/v1/statistics/places")
def statistics():
    limit = request.args.get("limit", 100, type=int)
    places = ask(f"{PLACES}/v1/places?limit={limit}")
    groups = people_by_place()
    everyone = sum(person["isAlive"] for group in groups.values() for person in group)

    def count(place):
        group = groups.get(place["id"], [])
        living = sum(person["isAlive"] for person in group)
        king = next((person for person in group if person["isKing"]), None)
        return {
            **place,
            "total": len(group),
            "living": living,
            "dead": len(group) - living,
            "share": round(living / everyone, 6) if everyone else 0,
            "king": king and {"id": king["id"], "name": king["name"]},
        }

    return jsonify([count(place) for place in places])


@app.route("/v1/people", methods=["GET"])
@app.route("/v1/people/<path:rest>", methods=["GET", "POST", "PATCH"])
def forward(rest=""):
    answer = http.request(
        request.method,
        f"{PEOPLE}{request.full_path}",
        data=request.get_data(),
        headers={"content-type": request.content_type or ""},
        stream=True,
    )
    return Response(
        answer.iter_content(65536), answer.status_code, content_type=answer.headers["content-type"]
    )
