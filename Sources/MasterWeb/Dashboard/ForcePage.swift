internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit

/// The form of a ForceScheduler.
extension Dashboard {
    /// The form, empty or as it was sent.
    func forcePage(
        _ name: String, sent: [(name: String, value: String)]? = nil, faults: JSONObject = [:],
        general: String? = nil
    ) async throws -> Response {
        let scheduler = try await record(["forceschedulers", name])
        let names = scheduler["builder_names"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let builders =
            try await records(
                ["builders"], ["field": "builderid", "field": "name"]) ?? []
        let choices = names.compactMap { name in
            builders.first { $0.string("name") == name }.map { ("\($0.int("builderid"))", name) }
        }
        let chosen =
            sent?.first { $0.name == "builderid" }?.value ?? request.query("builder")
            ?? choices.first?.0 ?? ""
        let label = scheduler.string("label")
        return Page(
            site: site, visitor: visitor, title: label.isEmpty ? name : label,
            section: "schedulers"
        ).response(status: sent == nil ? .ok : .badRequest) { html in
            guard mayControl else {
                html.element("p", text: visitor.controlRefusal ?? "")
                return
            }
            html.element("form", ["method": "post", "class": "fields"]) { html in
                if let general {
                    html.element("p", ["class": "fault", "role": "alert"], text: general)
                }
                html.token(of: visitor, site)
                html.element("label", ["for": "builderid"], text: "Builder")
                html.element("select", ["id": "builderid", "name": "builderid"]) { html in
                    for (id, name) in choices {
                        html.element(
                            "option", ["value": id, "selected": id == chosen ? "" : nil],
                            text: name)
                    }
                }
                for field in fields(of: scheduler) {
                    input(field, sent, faults[field.string("fullName")]?.stringValue, in: &html)
                }
                html.element(
                    "button",
                    text: scheduler.string("button_name").isEmpty
                        ? "Force" : scheduler.string("button_name"))
            }
        }
    }

    /// The fields that a person fills in, also those within others.
    private func fields(of scheduler: JSONObject) -> [JSONObject] {
        func flat(_ field: JSONObject) -> [JSONObject] {
            guard field.string("type") == "nested" else { return [field] }
            return (field["fields"]?.arrayValue ?? []).compactMap(\.objectValue).flatMap(flat)
        }
        return (scheduler["all_fields"]?.arrayValue ?? []).compactMap(\.objectValue).flatMap(flat)
            .filter { field in
                let others = ["fixed", "username", "file"]
                return field["hide"] != true && !others.contains(field.string("type"))
            }
    }

    private func input(
        _ field: JSONObject, _ sent: [(name: String, value: String)]?, _ fault: String?,
        in html: inout HTML
    ) {
        let name = field.string("fullName")
        let id = "field-" + name
        let preset = field["default"] ?? .null
        let given = sent?.filter { $0.name == name }.map(\.value)
        let value = given?.first ?? preset.stringValue ?? (preset.isNull ? "" : "\(preset)")
        let required = field["required"] == true ? "" : nil
        let described = fault == nil ? nil : id + "-fault"
        let label = field.string("label").isEmpty ? name : field.string("label")
        html.element("label", ["for": id], text: label)
        switch field.string("type") {
        case "bool":
            let isOn = given.map { !$0.isEmpty } ?? (preset == true)
            html.void(
                "input",
                [
                    "type": "checkbox", "id": id, "name": name, "value": "true",
                    "checked": isOn ? "" : nil, "aria-describedby": described,
                ])
        case "list":
            let isMultiple = field["multiple"] == true
            let values = given ?? preset.arrayValue?.compactMap(\.stringValue) ?? [value]
            html.element(
                "select",
                [
                    "id": id, "name": name, "multiple": isMultiple ? "" : nil,
                    "aria-describedby": described,
                ]
            ) { html in
                for choice in field["choices"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
                    html.element(
                        "option",
                        ["value": choice, "selected": values.contains(choice) ? "" : nil],
                        text: choice)
                }
            }
        case "textarea":
            html.element(
                "textarea",
                [
                    "id": id, "name": name, "rows": "4", "required": required,
                    "aria-describedby": described,
                ], text: value)
        default:
            html.void(
                "input",
                [
                    "id": id, "name": name, "value": value, "required": required,
                    "inputmode": field.string("type") == "int" ? "numeric" : nil,
                    "aria-describedby": described,
                ])
        }
        if let fault {
            html.element("p", ["class": "fault", "id": described, "role": "alert"], text: fault)
        }
    }

    /// Forces builds with the values of a form.
    func force(_ name: String) async throws -> Response {
        let scheduler = try await record(["forceschedulers", name])
        let sent = request.form
        var parameters: JSONObject = [:]
        parameters["builderid"] = .string(sent.first { $0.name == "builderid" }?.value ?? "")
        for field in fields(of: scheduler) {
            let key = field.string("fullName")
            let values = sent.filter { $0.name == key }.map(\.value)
            switch field.string("type") {
            case "bool": parameters[key] = .bool(!values.isEmpty)
            case "list" where field["multiple"] == true:
                parameters[key] = .array(values.map { .string($0) })
            case "int":
                guard let text = values.first, !text.isEmpty else { continue }
                parameters[key] = Int(text).map { .int($0) } ?? .string(text)
            default:
                if let text = values.first { parameters[key] = .string(text) }
            }
        }
        do {
            return try await follow(
                try await call(["forceschedulers", name], "force", parameters))
        } catch let fault as CallFault {
            let faults = fault.message.objectValue ?? [:]
            return try await forcePage(
                name, sent: sent, faults: faults,
                general: fault.message.stringValue ?? "Some values can't be used.")
        }
    }
}
