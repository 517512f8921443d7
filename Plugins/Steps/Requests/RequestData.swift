import MasterKit

/// The setting `data`: fields to be form-encoded, a text, or a file of the worker.
struct RequestData: SettingValue, RenderableValue {
    /// What was written, which is rendered in a build.
    enum Form: Sendable {
        case data(Renderable<FormData?>)
        case file(Renderable<WorkerPath>)
    }

    let form: Form

    static var shape: String { "\(FormData.shape), or !File path" }

    static var absent: RequestData? { RequestData(form: .data(Renderable(nil))) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RequestData? {
        guard let path = node.workerFilePath(decoder) else {
            return decoder.decode(Renderable<FormData?>.self, from: node).map {
                RequestData(form: .data($0))
            }
        }
        guard let path else { return nil }
        return decoder.decode(Renderable<WorkerPath>.self, from: path).map {
            RequestData(form: .file($0))
        }
    }

    /// Whether it is known to be no fields with names, which could stand beside files.
    var isNameless: Bool {
        switch form {
        case .data(let data): if case .text?? = data.constant { true } else { false }
        case .file: true
        }
    }

    /// Whether it is known to be null.
    var isNull: Bool {
        guard case .data(let data) = form, let constant = data.constant else { return false }
        return constant == nil
    }
}
