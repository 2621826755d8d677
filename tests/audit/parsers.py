"""Reads exported lines as other people's programs do, and tells what they understood: one JSON object a line.

usage: parsers.py ocsf|cef|syslog FILE. Ends with an error where a line is none of its format.
"""

import functools
import json
import re
import sys


def of_ocsf():
    """By the JSON schema that ocsf-json-schema makes of OCSF's own files; enumerations have their captions."""
    from jsonschema import Draft202012Validator
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    def captions_hold(value, attributes, objects):
        for name, attribute in attributes.items():
            if name in value and attribute.get("enum") and attribute.get("sibling") in value and value[name] != 99:
                caption = attribute["enum"][str(value[name])]["caption"]
                assert value[attribute["sibling"]] == caption, (name, value[name], caption)
            if name in value and attribute["type"] == "object_t":
                inner = objects[attribute["object_type"]]["attributes"]
                for one in value[name] if attribute.get("is_array") else [value[name]]:
                    captions_hold(one, inner, objects)

    @functools.cache
    def rules(version, profiles):
        schema = get_ocsf_schema(version=version)
        made = OcsfJsonSchemaEmbedded(schema).get_class_schema("datastore_activity", list(profiles))
        Draft202012Validator.check_schema(made)
        return Draft202012Validator(made), schema["classes"]["datastore_activity"]["attributes"], schema["objects"]

    def read(line):
        event = json.loads(line)
        # Also as the first and the newest of the versions that are in use have it.
        for version in ("1.2.0", event["metadata"]["version"], "1.8.0"):
            validator, attributes, objects = rules(version, tuple(event["metadata"]["profiles"]))
            faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(event)]
            assert not faults, (version, faults)
            captions_hold(event, attributes, objects)
        unmapped = event["unmapped"]
        return {
            "index": event["metadata"]["sequence"],
            "leaf_hash": unmapped["leaf_hash"],
            "act": event["metadata"]["event_code"],
            "actor": event["actor"]["user"]["uid"],
            "node": event["dst_endpoint"]["name"],
            "granted": event["status"] == "Success",
            "ticket": unmapped.get("ticket"),
            "subject": unmapped.get("subject"),
            "said": event["disposition"],
        }

    return read


def of_cef():
    """By pycef; each key is one of ArcSight's dictionary and its value of the key's type and length, by cefevent."""
    import pycef
    from cefevent import CEFEvent
    from cefevent.extensions import extension_dictionary

    header = {"DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "Name", "DeviceName"}
    header |= {"Severity", "DeviceSeverity", "CEFVersion"}
    unescape = {"\\\\": "\\", "\\=": "=", "\\n": "\n", "\\r": "\r"}

    def text(value):
        return re.sub(r"\\[\\=nr]", lambda found: unescape[found[0]], value)

    def read(line):
        # Its labels take the place of the keys that they are of: once as it stands, once without any label.
        bare = pycef.parse(line.replace("Label=", "Label_="))
        event = CEFEvent(strict=True)
        for key, value in bare.items():
            # cefevent does not know `outcome`, which is eventOutcome in ArcSight's dictionary.
            if key not in header and key != "outcome":
                name = extension_dictionary[key.removesuffix("_")]["full_name"]
                value = text(value)
                event.set_field(name, int(value) if value.isdigit() and key[:2] in ("cn", "rt") else value)
        assert bare["outcome"] in ("success", "failure"), bare
        assert bare.get("spriv", "User") in ("Administrator", "User", "Guest"), bare
        named = {key: text(value) for key, value in pycef.parse(line).items()}
        return {
            "index": int(named["index"]),
            "leaf_hash": named["leaf_hash"],
            "act": named["DeviceEventClassID"],
            "actor": named["suid"],
            "node": named["dvchost"],
            "granted": named["outcome"] == "success",
            "ticket": named.get("ticket"),
            "subject": named.get("subject"),
            "said": named["act"],
        }

    return read


def of_syslog():
    """By syslog-rfc5424-parser."""
    from syslog_rfc5424_parser import SyslogMessage
    from syslog_rfc5424_parser.constants import SyslogFacility, SyslogSeverity

    def read(line):
        message = SyslogMessage.parse(line)
        assert message.facility == SyslogFacility.audit, message.facility
        data, leaf = message.sd["audit@32473"], json.loads(message.msg)
        assert (leaf["t"], leaf["node"], leaf["act"]) == (message.timestamp, message.hostname, message.msgid), leaf
        assert data["outcome"] == leaf["out"], data
        return {
            "index": int(data["idx"]),
            "leaf_hash": data["leaf"],
            "act": message.msgid,
            "actor": leaf["actor"],
            "node": message.hostname,
            "granted": message.severity == SyslogSeverity.notice,
            "ticket": leaf.get("ticket"),
            "subject": leaf.get("subject"),
            "said": data.get("decision", data["outcome"]),
        }

    return read


reader = {"ocsf": of_ocsf, "cef": of_cef, "syslog": of_syslog}[sys.argv[1]]()
with open(sys.argv[2], encoding="utf-8") as lines:
    for line in lines:
        print(json.dumps(reader(line.removesuffix("\n"))))
