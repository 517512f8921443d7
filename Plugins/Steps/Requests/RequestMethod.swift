import MasterKit

/// The methods that HTTP steps send.
enum RequestMethod: String, SettingEnumeration {
    case post = "POST"
    case get = "GET"
    case put = "PUT"
    case delete = "DELETE"
    case head = "HEAD"
    case options = "OPTIONS"
    case patch = "PATCH"

    var method: HTTPMethod { HTTPMethod(rawValue: rawValue) }
}
