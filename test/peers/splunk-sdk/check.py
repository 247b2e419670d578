"""check.py URL USER PASSWORD [--app search] [--no-jobs]

Drives a Splunk management endpoint (or a simulator of one) with Splunk's own Python SDK
(PyPI splunk-sdk). Whatever the SDK can log in to, parse and use here is what a Splunk client
expects: Atom XML for everything but KV store data, error statuses, KV store semantics, jobs.
Creates collections named entente_check_* and removes them.
"""
import argparse
import json
import os
from urllib.parse import urlsplit

import splunklib.client
from splunklib.binding import AuthenticationError, HTTPError
from splunklib.results import JSONResultsReader

from checklib import Checks, equal, raises, true, until

NAME = "entente_check_%d" % os.getpid()


def login_checks(checks, options):
    def wrong_password():
        wrong = dict(options, password="wrong" + options["password"])
        raises(AuthenticationError, lambda: splunklib.client.connect(**wrong))

    def cookie():
        service = splunklib.client.connect(**options)
        true(service.token.startswith("Splunk "), "no session key")
        true(any(name.startswith("splunkd_") for name in service.get_cookies()), "no splunkd_ cookie after cookie=1")

    def info():
        version = splunklib.client.connect(**options).splunk_version
        true(len(version) >= 2 and version >= (7,), "version %r" % (version,))

    def bad_token():
        service = splunklib.client.Service(
            host=options["host"], port=options["port"], scheme=options["scheme"], token="Splunk 0123456789abcdef",
        )
        raises(AuthenticationError, lambda: service.get("server/info"))

    def bearer():
        key = splunklib.client.connect(**options).token.split(" ", 1)[1]
        service = splunklib.client.Service(
            host=options["host"], port=options["port"], scheme=options["scheme"], splunkToken=key,
        )
        equal(service.get("server/info").status, 200, "status")

    def login_again():
        service = splunklib.client.connect(autologin=True, **options)
        service.logout()
        service.token = "Splunk 0123456789abcdef"
        equal(service.get("server/info").status, 200, "status after autologin")

    def json_login():
        service = splunklib.client.connect(**options)
        body = service.http.post(
            service.authority + "/services/auth/login", username=options["username"],
            password=options["password"], output_mode="json",
        ).body.read()
        true(json.loads(body)["sessionKey"], "no sessionKey")

    def unknown_path():
        service = splunklib.client.connect(**options)
        raises(HTTPError, lambda: service.get("no/such/endpoint"), status=404)

    for body in (wrong_password, cookie, info, bad_token, bearer, login_again, json_login, unknown_path):
        checks.run("login: " + body.__name__, body)


def config_checks(checks, service, app):
    service.namespace["app"] = app
    config = service.kvstore

    def absent():
        true(NAME not in config, "%s exists" % NAME)

    def create():
        equal(config.create(NAME).status, 201, "status")
        true(NAME in config, "not found after create")

    def listed():
        true(NAME in [entry.name for entry in config.list()], "not in the list")

    def app_name():
        equal(config[NAME]["eai:appName"], app, "eai:appName")

    def duplicate():
        error = raises(HTTPError, lambda: config.create(NAME))
        true(error.status in (400, 409), "status %d" % error.status)

    def other_owner():
        service.kvstore_owner = "admin"
        try:
            raises(HTTPError, service.kvstore.list)
        finally:
            service.kvstore_owner = "nobody"

    def change():
        config[NAME].post(**{"field.expires": "number", "accelerated_fields.value": json.dumps({"value": 1})})
        equal(config[NAME]["field.expires"], "number", "field.expires")
        equal(config[NAME]["accelerated_fields.value"], {"value": 1}, "accelerated_fields.value")

    def change_again():
        config[NAME].update_field("expires", "string")
        config[NAME].update_accelerated_field("value", {"value": -1})
        equal(config[NAME]["field.expires"], "string", "field.expires")
        equal(config[NAME]["accelerated_fields.value"], {"value": -1}, "accelerated_fields.value")

    def created_with_fields():
        config.create(NAME + "_f", fields={"n": "number"}, accelerated_fields={"a": {"n": 1}})
        entry = config[NAME + "_f"]
        equal((entry["field.n"], entry["accelerated_fields.a"]), ("number", {"n": 1}), "fields")
        entry.delete()
        true(NAME + "_f" not in config, "still there after delete")

    def two_apps():
        service.namespace["app"] = "system"
        try:
            config.create(NAME)
            equal(config[NAME]["eai:appName"], "system", "eai:appName")
            config[NAME].delete()
        finally:
            service.namespace["app"] = app
        equal(config[NAME]["eai:appName"], app, "eai:appName")

    steps = (absent, create, listed, app_name, duplicate, other_owner, change, change_again, created_with_fields, two_apps)
    for body in steps:
        checks.run("kv config: " + body.__name__, body)
    config[NAME].delete()


def data_checks(checks, service, app):
    service.namespace["app"] = app
    config = service.kvstore
    config.create(NAME, fields={"num": "number"})
    data = config[NAME].data

    def keys(**query):
        return [row["_key"] for row in data.query(**query)]

    def empty():
        equal(data.query(), [])

    def insert():
        equal(data.insert({"_key": "a", "value": "x", "num": 1}), {"_key": "a"})
        row = data.query_by_id("a")
        equal((row["value"], row["num"], row["_user"]), ("x", 1, "nobody"), "row")

    def own_key():
        key = data.insert({"value": "y"})["_key"]
        true(len(key) == 24 and int(key, 16) >= 0, "key %r" % key)
        data.delete_by_id(key)

    def insert_twice():
        raises(HTTPError, lambda: data.insert({"_key": "a", "value": "z"}), status=409)
        equal(data.query_by_id("a")["value"], "x")

    def update_replaces():
        equal(data.update("a", {"value": "x2"}), {"_key": "a"})
        row = data.query_by_id("a")
        equal(row["value"], "x2")
        true("num" not in row, "a field not sent survived the update")

    def update_unknown():
        raises(HTTPError, lambda: data.update("nobody-has-this", {"value": "x"}), status=404)

    def get_unknown():
        raises(HTTPError, lambda: data.query_by_id("nobody-has-this"), status=404)

    def delete_unknown():
        raises(HTTPError, lambda: data.delete_by_id("nobody-has-this"), status=404)

    def not_json():
        raises(HTTPError, lambda: data.insert("NOT JSON"), status=400)
        raises(HTTPError, lambda: data.update("a", "NOT JSON"), status=400)
        raises(HTTPError, lambda: data.query(query="NOT JSON"), status=400)
        equal(data.query_by_id("a")["value"], "x2")

    def odd_keys():
        # no blank: the SDK writes it as "+" into the path
        for key in ("indicator--1/2", "h\u00e9", "100%25", "a+b&c=d"):
            equal(data.insert({"_key": key, "value": key}), {"_key": key})
            equal(data.query_by_id(key)["value"], key)
            data.update(key, {"value": "changed"})
            equal(data.query_by_id(key)["value"], "changed")
            data.delete_by_id(key)
        equal(keys(), ["a"])

    def batch():
        data.delete()
        wanted = [str(n) for n in range(200)]
        equal(data.batch_save(*[{"_key": k, "value": "#" + k, "num": int(k)} for k in wanted]), wanted)
        equal(len(data.query()), 200, "rows")

    def batch_upserts():
        equal(data.batch_save({"_key": "5", "value": "new"}, {"_key": "900", "value": "added", "num": 900}), ["5", "900"])
        equal(data.query_by_id("5").get("num"), None, "num of a replaced row")
        equal(len(data.query()), 201, "rows")
        data.delete_by_id("900")
        data.batch_save({"_key": "5", "value": "#5", "num": 5})

    def batch_not_json():
        raises(HTTPError, lambda: service.post(
            data.path + "batch_save", owner="nobody", app=app, headers=data.JSON_HEADER, body="NOT JSON"), status=400)

    def batch_too_long():
        rows = [{"_key": "t%d" % n} for n in range(50001)]
        error = raises(HTTPError, lambda: data.batch_save(*rows), status=400)
        true("max_documents_per_batch_save=" in str(error), "text: %s" % error)
        data.delete(json.dumps({"_key": {"$regex": "^t"}}))

    def batch_find():
        found = data.batch_find({"query": {"num": 3}}, {"query": {"num": {"$gte": 198}}}, {"query": {"num": -1}})
        equal([[row["_key"] for row in rows] for rows in found], [["3"], ["198", "199"], []])

    def sorted_pages():
        equal(keys(sort="num:-1", limit=2, skip=3), ["196", "195"])
        equal(keys(sort="num", limit=2), ["0", "1"])
        equal(keys(sort="num", skip=199), ["199"])
        equal(keys(skip=200), [])
        equal(len(keys(limit=0)), 200)

    def fields():
        row = data.query(query={"num": 7}, fields="value,_key")[0]
        equal((row["value"], row["_key"], "num" in row), ("#7", "7", False))
        row = data.query(query={"num": 7}, fields="value,_id:0")[0]
        true("_key" not in row, "_id:0 did not drop _key")
        row = data.query(query={"num": 7}, fields="num:0")[0]
        true("num" not in row and row["value"] == "#7", "num:0 did not drop num")

    def operators():
        equal(len(keys(query={"num": {"$gt": 197}})), 2, "$gt")
        equal(len(keys(query={"num": {"$lte": 1}})), 2, "$lte")
        equal(len(keys(query={"num": {"$gte": 10, "$lt": 20}})), 10, "range")
        equal(len(keys(query={"num": {"$ne": 3}})), 199, "$ne")
        equal(sorted(keys(query={"$or": [{"num": 1}, {"value": "#2"}]})), ["1", "2"], "$or")
        equal(keys(query={"$and": [{"num": {"$gt": 4}}, {"num": {"$lt": 6}}]}), ["5"], "$and")
        equal(sorted(keys(query={"value": {"$regex": "^#19[89]$"}})), ["198", "199"], "$regex")
        equal(keys(query={"_key": {"$gt": "98"}}, sort="_key"), ["99"], "keyset")

    def declared_type():
        data.insert({"_key": "typed", "num": "42"})
        equal(data.query_by_id("typed")["num"], 42)
        data.delete_by_id("typed")

    def delete_by_query():
        equal(data.delete(json.dumps({"num": {"$gt": 39}})).status, 200, "status")
        equal(len(data.query()), 40, "rows left")

    def delete_all():
        data.delete()
        equal(data.query(), [])

    def unknown_collection():
        raises(HTTPError, lambda: service.get(
            "storage/collections/data/%s_none/" % NAME, owner="nobody", app=app), status=404)

    def error_forms():
        path = "storage/collections/data/%s/nobody-has-this" % NAME
        error = raises(HTTPError, lambda: service.get(path, owner="nobody", app=app))
        true(error.body.lstrip().startswith(b"<"), "without output_mode=json an error is XML")
        error = raises(HTTPError, lambda: service.get(path, owner="nobody", app=app, output_mode="json"))
        true(json.loads(error.body)["messages"][0]["text"], "with output_mode=json an error is JSON")

    steps = (
        empty, insert, own_key, insert_twice, update_replaces, update_unknown, get_unknown, delete_unknown, not_json,
        odd_keys, batch, batch_upserts, batch_not_json, batch_too_long, batch_find, sorted_pages, fields, operators,
        declared_type, delete_by_query, delete_all, unknown_collection, error_forms,
    )
    for body in steps:
        checks.run("kv data: " + body.__name__, body)
    config[NAME].delete()
    checks.run("kv data: gone with the collection", lambda: raises(HTTPError, data.query, status=404))


def job_checks(checks, service):
    query = "| makeresults count=3"

    def rows(stream):
        return [item for item in JSONResultsReader(stream) if isinstance(item, dict)]

    def job_life():
        job = service.jobs.create(query)
        true(job.sid, "no sid")
        until(job.is_done, 30, "the job is not done")
        equal((job["dispatchState"], int(job["resultCount"]), job["isFailed"]), ("DONE", 3, "0"), "state")
        equal(len(rows(job.results(output_mode="json"))), 3, "rows")
        equal(len(rows(job.results(output_mode="json", count=2, offset=2))), 1, "rows of the second page")
        true(job.sid in [other.sid for other in service.jobs.list()], "not in the list of jobs")
        job.set_ttl(60)
        job.cancel()
        job.cancel()
        raises(HTTPError, job.refresh, status=404)

    def oneshot():
        equal(len(rows(service.jobs.oneshot(query, output_mode="json"))), 3, "rows")

    def export():
        equal(len(rows(service.jobs.export(query, output_mode="json"))), 3, "rows")

    def garbage():
        error = raises(HTTPError, lambda: service.jobs.create("abcd"), status=400)
        true("abcd" in str(error), "the text does not name the word: %s" % error)

    for body in (job_life, oneshot, export, garbage):
        checks.run("jobs: " + body.__name__, body)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("user")
    parser.add_argument("password")
    parser.add_argument("--app", default="search")
    parser.add_argument("--no-jobs", action="store_true")
    args = parser.parse_args()
    url = urlsplit(args.url)
    options = {
        "scheme": url.scheme, "host": url.hostname, "port": url.port or 8089,
        "username": args.user, "password": args.password,
    }
    checks = Checks()
    login_checks(checks, options)
    service = checks.run("login", lambda: splunklib.client.connect(**options))
    if service is not None:
        checks.run("kv config", config_checks, checks, service, args.app)
        checks.run("kv data", data_checks, checks, service, args.app)
        if not args.no_jobs:
            job_checks(checks, service)
    checks.finish()


if __name__ == "__main__":
    main()
