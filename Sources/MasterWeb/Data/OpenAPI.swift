internal import MasterKit

/// The description of the API for programs that make clients or test servers.
enum OpenAPI {
    static let document: JSONValue = [
        "openapi": "3.1.0",
        "info": ["title": "Data API", "version": "2"],
        "servers": [["url": "/api/v2"]],
        "paths": .object(paths),
        "components": ["schemas": .object(schemas)],
    ]

    // MARK: Paths

    /// A path under which numbers and names are both known is one path here.
    private static var paths: JSONObject {
        var paths = JSONObject()
        var parameters: [String: [Endpoint.Part]] = [:]
        var templates: [String: String] = [:]
        for endpoint in Endpoint.all where !endpoint.parts.isEmpty {
            let skeleton = endpoint.skeleton
            parameters[skeleton, default: []] += endpoint.parts
            let template = templates[skeleton] ?? endpoint.template
            templates[skeleton] = template
            var item: JSONObject = ["get": get(endpoint)]
            if let methods = actions[endpoint.resource.type], endpoint.isItem {
                item["post"] = post(endpoint, methods)
            }
            item["parameters"] = .array(
                pathParameters(template, parameters[skeleton, default: []]))
            paths[template] = .object(item)
        }
        return paths
    }

    private static let actions = [
        "build": ["stop", "rebuild"], "buildrequest": ["cancel", "set_priority"],
        "scheduler": ["enable"], "forcescheduler": ["force"],
    ]

    private static func pathParameters(
        _ template: String, _ parts: [Endpoint.Part]
    ) -> [JSONValue] {
        template.split(separator: "/").filter { $0.hasPrefix("{") }.map { word in
            let name = String(word.dropFirst().dropLast())
            let isNumber = parts.contains { part in
                if case .number(name) = part { true } else { false }
            }
            // With a number and a name at the same place, any text is allowed.
            let isAlone = parts.filter { if case .literal = $0 { false } else { true } }.allSatisfy
            {
                if case .text = $0 { false } else { true }
            }
            let type = isNumber && isAlone ? "integer" : "string"
            return [
                "name": .string(name), "in": "path", "required": true,
                "schema": ["type": .string(type)],
            ]
        }
    }

    private static func get(_ endpoint: Endpoint) -> JSONValue {
        let resource = endpoint.resource
        let isRaw = ["raw", "raw_inline", "value"].contains {
            endpoint.pattern.hasSuffix("/" + $0)
        }
        let content: JSONValue =
            isRaw
            ? ["text/plain": ["schema": ["type": "string"]]]
            : [
                "application/json": ["schema": answer(resource)],
                "text/plain": ["schema": ["type": "string"]],
            ]
        return [
            "parameters": .array(isRaw ? [] : queryParameters(endpoint)),
            "responses": [
                "200": ["description": "The records.", "content": content],
                "400": error("The query is wrong."),
                "404": error("A record that the path names does not exist."),
            ],
        ]
    }

    private static func answer(_ resource: Resource) -> JSONValue {
        let rows: JSONValue = [
            "type": "array", "items": ["$ref": .string("#/components/schemas/\(resource.type)")],
        ]
        let meta: JSONValue = ["type": "object", "properties": ["total": ["type": "integer"]]]
        return [
            "type": "object", "required": [.string(resource.plural), "meta"],
            "properties": .object(JSONObject([(resource.plural, rows), ("meta", meta)])),
        ]
    }

    private static func error(_ description: String) -> JSONValue {
        [
            "description": .string(description),
            "content": ["text/plain": ["schema": ["type": "string"]]],
        ]
    }

    private static func queryParameters(_ endpoint: Endpoint) -> [JSONValue] {
        let names = endpoint.resource.fields.map { JSONValue.string($0.name) }
        func list(_ name: String, _ items: JSONValue) -> JSONValue {
            ["name": .string(name), "in": "query", "schema": ["type": "array", "items": items]]
        }
        let field = list("field", ["type": "string", "enum": .array(names)])
        guard !endpoint.isItem else { return [field] }
        let descending = endpoint.resource.fields.map { JSONValue.string("-\($0.name)") }
        return [
            field, list("order", ["type": "string", "enum": .array(names + descending)]),
            ["name": "limit", "in": "query", "schema": ["type": "integer"]],
            ["name": "offset", "in": "query", "schema": ["type": "integer"]],
        ]
    }

    private static func post(_ endpoint: Endpoint, _ methods: [String]) -> JSONValue {
        let call: JSONValue = [
            "type": "object", "required": ["jsonrpc", "method", "id", "params"],
            "properties": [
                "jsonrpc": ["const": "2.0"],
                "method": ["enum": .array(methods.map { .string($0) })],
                "id": ["type": ["string", "integer", "null"]], "params": ["type": "object"],
            ],
        ]
        func response(_ description: String) -> JSONValue {
            [
                "description": .string(description),
                "content": ["application/json": ["schema": ["type": "object"]]],
            ]
        }
        return [
            "requestBody": ["required": true, "content": ["application/json": ["schema": call]]],
            "responses": [
                "200": response("It was done."), "400": response("The call is wrong."),
                "403": response("The sender may not do it."),
                "404": response("A record that the path names does not exist."),
                "501": response("There is no such method."),
            ],
        ]
    }

    // MARK: Records

    private static var schemas: JSONObject {
        JSONObject(Resource.all.map { ($0.type, schema(of: $0)) })
    }

    private static func schema(of resource: Resource) -> JSONValue {
        guard resource.type != "sourcedproperties" else { return schema(of: FieldType.properties) }
        return schema(of: FieldType.record(resource.type, resource.fields))
    }

    private static func schema(of type: FieldType) -> JSONValue {
        switch type {
        case .integer, .datetime: ["type": "integer"]
        case .string, .identifier, .binary: ["type": "string"]
        case .boolean: ["type": "boolean"]
        case .json: [:]
        case .properties:
            [
                "type": "object",
                "additionalProperties": ["type": "array", "minItems": 2, "maxItems": 2],
            ]
        case .list(let element): ["type": "array", "items": schema(of: element)]
        case .record(_, let fields):
            // None is required, as a client can select some of them.
            [
                "type": "object",
                "properties": .object(JSONObject(fields.map { ($0.name, schema(of: $0.type)) })),
            ]
        case .optional(let type): ["anyOf": [schema(of: type), ["type": "null"]]]
        }
    }
}

extension Endpoint {
    /// The path without the names of its variable parts.
    fileprivate var skeleton: String { path { _ in "{}" } }

    /// The path with the names of its variable parts in braces.
    fileprivate var template: String { path { "{\($0)}" } }

    private func path(_ variable: (String) -> String) -> String {
        parts.map { part in
            switch part {
            case .literal(let word): "/" + word
            case .number(let name), .text(let name): "/" + variable(name)
            }
        }.joined()
    }
}
