"""check.py URL SEC_TOKEN [--ca FILE] [--version 20.0] [--classic 20.0] [--field sourceip]

Checks a QRadar (or a simulator) with two public clients: `qradar4py` 3.0 for the classic reference
data, Ariel and offenses, `qradar` 0.0.4 for the collections API. The second knows no endpoint by
itself: it builds its methods from GET /help/endpoints of the server. Neither belongs to IBM.
Creates sets named entente_check_* and removes them.
"""
import argparse
import os
import time

import requests
from qradar import QRadar
from qradar4py.api import QRadarApi

from checklib import Checks, equal, true, until

NAME = "entente_check_%d" % os.getpid()


def good(answer, *statuses):
    status, body = answer
    true(status in statuses, "status %d, wanted %s: %s" % (status, statuses, str(body)[:200]))
    return body


def refused(answer, status, code):
    body = good(answer, status)
    equal((body["http_response"]["code"], body["code"]), (status, code), "codes")
    true(body["message"] and body["http_response"]["message"], "no message")


def classic(checks, api, bulk_by_name):
    data = api.referencedata

    def token():
        wrong = QRadarApi(api.url, "00000000-0000-0000-0000-000000000000", version=api.version, verify=api.verify)
        refused(wrong.referencedata.get_sets(), 401, 18)

    def versions():
        rows = good(api.help.get_versions(), 200)
        true(any(row["version"] == api.version and not row["removed"] for row in rows), "version %s is not listed" % api.version)

    def create():
        body = good(data.post_sets(name=NAME, element_type="ALNIC", timeout_type="LAST_SEEN", time_to_live="1 month"), 201)
        equal((body["name"], body["element_type"], body["number_of_elements"]), (NAME, "ALNIC", 0))
        refused(data.post_sets(name=NAME, element_type="ALNIC"), 409, 1004)

    def bad_parameters():
        refused(data.post_sets(name=NAME + "_x", element_type="TEXT"), 422, 11)

    def add():
        body = good(data.post_sets_by_name(NAME, value="Evil.Example.ORG", source="entente"), 200)
        equal(body["number_of_elements"], 1)
        row = good(data.get_sets_by_name(NAME), 200)["data"][0]
        equal((row["value"], row["source"]), ("evil.example.org", "entente"), "ALNIC is stored in lower case")
        true(row["first_seen"] <= row["last_seen"] <= (time.time() + 300) * 1000, "seen %s" % row)

    def bulk():
        values = ["v%d.example.org" % n for n in range(10)]
        if bulk_by_name:
            body = good(data.post_sets_bulk_load_by_name(NAME, data=values), 200)
        else:
            body = good(data.post_sets_bulk_load_namespace_name_by_domain_id("SHARED", NAME, "SHARED", data=values), 200)
        equal(body["number_of_elements"], 11)

    def ranges():
        rows = good(data.get_sets_by_name(NAME, Range="items=0-3"), 200)["data"]
        equal(len(rows), 4, "items=0-3")

    def fields():
        equal(good(data.get_sets_by_name(NAME, fields="name"), 200), {"name": NAME})
        equal(good(data.get_sets(filter='name = "%s"' % NAME, fields="name"), 200), [{"name": NAME}])

    def unknown():
        refused(data.get_sets_by_name(NAME + "_none"), 404, 1002)
        refused(data.delete_sets_name_by_value(NAME, "absent.example.org"), 404, 1003)

    def remove_value():
        good(data.delete_sets_name_by_value(NAME, "v0.example.org"), 200)
        equal(good(data.get_sets_by_name(NAME), 200)["number_of_elements"], 10)

    def purge_and_delete():
        task = good(data.delete_sets_by_name(NAME, purge_only="true"), 202)
        true(task["id"] is not None and task["status"], "task %s" % task)
        until(lambda: good(data.get_sets_by_name(NAME), 200)["number_of_elements"] == 0, 30, "purge")
        good(data.delete_sets_by_name(NAME), 202)
        until(lambda: data.get_sets_by_name(NAME)[0] == 404, 30, "delete")

    for body in (token, versions, create, bad_parameters, add, bulk, ranges, fields, unknown, remove_value, purge_and_delete):
        checks.run("classic: " + body.__name__, body)


def ariel(checks, api, field):
    def search(query):
        body = good(api.ariel.post_searches(query_expression=query), 201)
        ident = body["search_id"]
        seen = {}

        def over():
            seen.update(good(api.ariel.get_searches_by_search_id(ident), 200, 206))
            return seen["status"] in ("COMPLETED", "ERROR", "CANCELED")

        until(over, 60, "the search")
        equal((seen["status"], seen["progress"]), ("COMPLETED", 100))
        return ident, seen

    def life():
        now = int(time.time() * 1000)
        ident, seen = search("SELECT %s AS v, MIN(starttime) AS f FROM events GROUP BY %s LIMIT 10 START %d STOP %d" % (
            field, field, now - 3600000, now))
        rows = good(api.ariel.get_searches_results_by_search_id(ident), 200)["events"]
        equal(len(rows), seen["record_count"], "rows")
        part = good(api.ariel.get_searches_results_by_search_id(ident, Range="items=0-0"), 200)["events"]
        equal(len(part), min(1, len(rows)), "items=0-0")
        good(api.ariel.delete_searches_by_search_id(ident), 202, 200)
        refused(api.ariel.get_searches_by_search_id(ident), 404, 1002)

    def syntax():
        refused(api.ariel.post_searches(query_expression="SELECT FROM WHERE"), 422, 2000)

    def offenses():
        rows = good(api.siem.get_offenses(Range="items=0-1", sort="+id"), 200)
        true(len(rows) <= 2, "%d rows" % len(rows))
        equal([row["id"] for row in rows], sorted(row["id"] for row in rows), "order")

    for body in (life, syntax, offenses):
        checks.run("ariel: " + body.__name__, body)


def collections(checks, url, token, version, verify):
    api = checks.run("collections: endpoints", QRadar, url, token, version, requests.Session(), verify)
    if api is None:
        return
    state = {}

    def create():
        entry = {"name": NAME, "entry_type": "ALNIC", "expiry_type": "NO_EXPIRY"}
        body = api.post_reference_data_collections_sets(json=entry)
        state["id"] = body["id"]
        equal((body["name"], body["entry_type"], body["number_of_entries"]), (NAME, "ALNIC", 0))
        equal(api.post_reference_data_collections_sets(json=entry)["code"], 10006, "code of a name in use")

    def find():
        rows = api.get_reference_data_collections_sets(filter='name = "%s"' % NAME)
        equal([row["id"] for row in rows], [state["id"]])
        equal(api.get_reference_data_collections_sets_id(id=state["id"])["name"], NAME)

    def patch(rows):
        task = api.patch_reference_data_collections_set_entries(json=rows)
        true("id" in task, "no task: %s" % task)
        seen = {}

        def over():
            seen.update(api.get_reference_data_collections_set_bulk_update_tasks_task_id(task_id=task["id"]))
            return seen["status"] in ("COMPLETED", "EXCEPTION", "CANCELLED", "CONFLICT", "INTERRUPTED")

        until(over, 60, "the task")
        equal(seen["status"], "COMPLETED")
        return api.get_reference_data_collections_set_bulk_update_tasks_task_id_results(task_id=task["id"])

    def bulk():
        rows = [
            {"collection_id": state["id"], "value": "v%d.example.org" % n, "source": "entente", "notes": "indicator--%d" % n}
            for n in range(10)
        ]
        result = patch(rows)
        equal((result["total_responses"], result["successful_responses"]), (10, 10))
        equal(api.get_reference_data_collections_sets_id(id=state["id"])["number_of_entries"], 10)

    def entries():
        rows = api.get_reference_data_collections_set_entries(filter="collection_id = %d" % state["id"])
        equal(len(rows), 10)
        rows = api.get_reference_data_collections_set_entries(
            filter='collection_id = %d and notes = "indicator--3"' % state["id"])
        equal([(row["value"], row["source"]) for row in rows], [("v3.example.org", "entente")])

    def one_entry():
        body = api.post_reference_data_collections_set_entries(json={"collection_id": state["id"], "value": "UPPER.example.org"})
        equal(body["value"], "upper.example.org", "ALNIC is stored in lower case")

    def bulk_delete():
        rows = [{"collection_id": state["id"], "value": "v%d.example.org" % n, "delete_entry": True} for n in range(5)]
        equal(patch(rows)["successful_responses"], 5)
        equal(api.get_reference_data_collections_sets_id(id=state["id"])["number_of_entries"], 6)

    def unknown():
        equal(api.get_reference_data_collections_sets_id(id=99999999)["http_response"]["code"], 404)
        body = api.post_reference_data_collections_set_entries(json={"collection_id": 99999999, "value": "x"})
        equal(body["code"], 20004)

    def delete():
        task = api.delete_reference_data_collections_sets_id(id=state["id"])
        true(task["id"] is not None, "no task")
        until(lambda: not api.get_reference_data_collections_sets(filter='name = "%s"' % NAME), 30, "delete")

    for body in (create, find, bulk, entries, one_entry, bulk_delete, unknown, delete):
        checks.run("collections: " + body.__name__, body)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--ca")
    parser.add_argument("--version", default="20.0", help="for the collections API")
    parser.add_argument("--classic", default="20.0", help="for the classic API; up to 16.0 bulk_load is by name alone")
    parser.add_argument("--field", default="sourceip")
    args = parser.parse_args()
    os.environ.pop("REQUESTS_CA_BUNDLE", None)
    os.environ.pop("CURL_CA_BUNDLE", None)
    verify = args.ca or True
    url = args.url.rstrip("/")
    api = QRadarApi(url + "/", args.token, version=args.classic, verify=verify)
    api.url, api.version, api.verify = url + "/", args.classic, verify
    checks = Checks()
    classic(checks, api, float(args.classic) <= 16.0)
    ariel(checks, api, args.field)
    collections(checks, url, args.token, args.version, verify)
    checks.finish()


if __name__ == "__main__":
    main()
