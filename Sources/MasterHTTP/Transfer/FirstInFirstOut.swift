/// A list that is appended to at one end and taken from at the other.
struct FirstInFirstOut<Element> {
    private var storage: [Element] = []
    private var first = 0

    /// Whether nothing is in it.
    var isEmpty: Bool { first == storage.count }

    /// What is in it, in order.
    var elements: ArraySlice<Element> { storage[first...] }

    /// Puts an element at the end.
    mutating func append(_ element: Element) {
        storage.append(element)
    }

    /// Takes the first element.
    mutating func popFirst() -> Element? {
        guard first < storage.count else { return nil }
        let element = storage[first]
        first += 1
        if first == storage.count {
            storage.removeAll(keepingCapacity: first <= 256)
            first = 0
        } else if first >= 256 {
            storage.removeFirst(first)
            first = 0
        }
        return element
    }

    /// Removes and returns what matches.
    mutating func removeAll(where matches: (Element) -> Bool) -> [Element] {
        let removed = elements.filter(matches)
        guard !removed.isEmpty else { return [] }
        storage = elements.filter { !matches($0) }
        first = 0
        return removed
    }
}
