internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit

/// The form of a ForceScheduler.
extension Dashboard {
    /// Keeps the names of parameters apart from those of the form's own fields.
    private static let prefix = "field-"
    /// Buildbot's labels as they read beside others.
    private static let labels = [
        "reason": "Reason", "priority": "Priority", "Branch:": "Branch", "Project:": "Project",
        "Repository:": "Repository", "Revision:": "Revision", "Your name:": "Your name",
    ]

    /// The form, empty or as it was sent.
    func forcePage(
        _ name: String, sent: [(name: String, value: String)]? = nil, faults: JSONObject = [:],
        general: String? = nil, status: HTTPTypes.HTTPResponse.Status = .badRequest
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
        ).response(status: sent == nil ? .ok : status) { html in
            // What somebody has typed whose login has ended meanwhile is not lost.
            guard mayControl || sent != nil else {
                html.sentence(visitor.controlRefusal ?? "")
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
                for field in fields(of: scheduler) { show(field, sent, faults, in: &html) }
                html.element(
                    "button",
                    text: scheduler.string("button_name").isEmpty
                        ? "Force" : scheduler.string("button_name"))
            }
        }
    }

    private func fields(of group: JSONObject, named name: String = "all_fields") -> [JSONObject] {
        group[name]?.arrayValue?.compactMap(\.objectValue) ?? []
    }

    /// The fields that a person fills in, of one that may contain others.
    private func leaves(_ field: JSONObject) -> [JSONObject] {
        if field.string("type") == "nested" {
            return fields(of: field, named: "fields").flatMap(leaves)
        }
        // Who has logged in has a name.
        let isKnown = field.string("fullName") == "username" && visitor.user != nil
        return field["hide"] == true || isKnown ? [] : [field]
    }

    private func show(
        _ field: JSONObject, _ sent: [(name: String, value: String)]?, _ faults: JSONObject,
        in html: inout HTML
    ) {
        guard !leaves(field).isEmpty else { return }
        guard field.string("type") == "nested" else {
            input(field, sent, faults[field.string("fullName")]?.stringValue, in: &html)
            return
        }
        func showAll(in html: inout HTML) {
            for inner in fields(of: field, named: "fields") {
                show(inner, sent, faults, in: &html)
            }
        }
        let label = field.string("label")
        guard !label.isEmpty else { return showAll(in: &html) }
        html.element("fieldset") { html in
            html.element("legend", text: label)
            let tooltip = field.string("tooltip")
            if !tooltip.isEmpty { html.element("p", ["class": "hint"], text: tooltip) }
            showAll(in: &html)
        }
    }

    private func input(
        _ field: JSONObject, _ sent: [(name: String, value: String)]?, _ fault: String?,
        in html: inout HTML
    ) {
        let name = field.string("fullName")
        let id = Self.prefix + name
        let preset = field["default"] ?? .null
        let given = sent?.filter { $0.name == id }.map(\.value)
        let value = given?.first ?? preset.stringValue ?? (preset.isNull ? "" : "\(preset)")
        let required = field["required"] == true ? "" : nil
        let tooltip = field.string("tooltip")
        let notes = [tooltip.isEmpty ? nil : "hint", fault == nil ? nil : "fault"]
            .compactMap { $0.map { "\(id)-\($0)" } }
        let described = notes.isEmpty ? nil : notes.joined(separator: " ")
        let choices = field["choices"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let label = field.string("label").isEmpty ? name : field.string("label")
        html.element("label", ["for": id], text: Self.labels[label] ?? label)
        switch field.string("type") {
        case "bool":
            let isOn = given.map { !$0.isEmpty } ?? (preset == true)
            html.void(
                "input",
                [
                    "type": "checkbox", "id": id, "name": id, "value": "true",
                    "checked": isOn ? "" : nil, "aria-describedby": described,
                ])
        case "list" where field["strict"] == false && field["multiple"] != true:
            html.void(
                "input",
                [
                    "id": id, "name": id, "value": value, "required": required,
                    "list": id + "-choices", "aria-describedby": described,
                ])
            html.element("datalist", ["id": id + "-choices"]) { html in
                for choice in choices { html.element("option", ["value": choice]) }
            }
        case "list":
            let isMultiple = field["multiple"] == true
            let values = given ?? preset.arrayValue?.compactMap(\.stringValue) ?? [value]
            html.element(
                "select",
                [
                    "id": id, "name": id, "multiple": isMultiple ? "" : nil,
                    "required": required, "aria-describedby": described,
                ]
            ) { html in
                // Without a default, nothing is chosen unless somebody chooses it.
                if !isMultiple, preset == "" { html.element("option", ["value": ""]) }
                for choice in choices {
                    html.element(
                        "option",
                        ["value": choice, "selected": values.contains(choice) ? "" : nil],
                        text: choice == ForceParameter.anyWorker ? "any" : choice)
                }
            }
        case "textarea", "file":
            // The script lets a file be chosen, whose text is put here.
            let isFile = field.string("type") == "file"
            html.element(
                "textarea",
                [
                    "id": id, "name": id, "rows": "4", "required": required,
                    "data-file": isFile ? "" : nil, "aria-describedby": described,
                ], text: value)
        default:
            html.void(
                "input",
                [
                    "id": id, "name": id, "value": value, "required": required,
                    "inputmode": field.string("type") == "int" ? "numeric" : nil,
                    "aria-describedby": described,
                ])
        }
        if !tooltip.isEmpty {
            html.element("p", ["class": "hint", "id": id + "-hint"], text: tooltip)
        }
        if let fault {
            html.element(
                "p", ["class": "fault", "id": id + "-fault", "role": "alert"], text: fault)
        }
    }

    /// Forces builds with the values of a form.
    func force(_ name: String) async throws -> Response {
        let scheduler = try await record(["forceschedulers", name])
        let sent = request.form
        var parameters: JSONObject = [:]
        parameters["builderid"] = .string(sent.first { $0.name == "builderid" }?.value ?? "")
        for field in fields(of: scheduler).flatMap(leaves) {
            let key = field.string("fullName")
            let values = sent.filter { $0.name == Self.prefix + key }.map(\.value)
            switch field.string("type") {
            case "bool": parameters[key] = .bool(!values.isEmpty)
            case "list" where field["multiple"] == true:
                parameters[key] = .array(values.map { .string($0) })
            case "int":
                guard let text = values.first, !text.isEmpty else { continue }
                parameters[key] = Int(text).map { .int($0) } ?? .string(text)
            default:
                // Browsers end the lines of a text area as on Windows.
                guard let text = values.first?.replacing("\r\n", with: "\n") else { continue }
                parameters[key] = .string(text)
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
