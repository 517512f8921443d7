/// The encoding of what a command prints.
public enum LogEncoding: String, SettingEnumeration {
    case utf8 = "utf-8"
    case latin1 = "iso-8859-1"
    case ascii
}
