import Testing

@testable import Artifacts

@Suite struct PartPlanTests {
    private let amazon = MultipartLimits(minimumPart: 5 << 20, maximumPart: 5 << 30, maximumCount: 10_000)
    private let small = MultipartLimits(minimumPart: 5 << 20, maximumPart: 5 << 30, maximumCount: 1000)

    struct Case: Sendable {
        let length: Int64
        var wanted: Int64?
        let partSize: Int64
        let count: Int
    }

    static let cases: [Case] = [
        Case(length: 16 << 20 | 1, partSize: 16 << 20, count: 2), Case(length: 1 << 30, partSize: 16 << 20, count: 64),
        Case(length: 1 << 30, wanted: 5 << 20, partSize: 5 << 20, count: 205),
        Case(length: 1 << 30, wanted: 528 << 20, partSize: 528 << 20, count: 2),
        Case(length: 20 << 20, wanted: 1 << 20, partSize: 5 << 20, count: 4),
        // 10,000 parts of 16 MiB are not enough: the parts grow.
        Case(length: 10_000 << 24 | 1, partSize: 17 << 20, count: 9412),
        Case(length: 5 << 40, partSize: 525 << 20, count: 9987),
    ]

    @Test(arguments: cases) func cutsAKnownLength(example: Case) throws {
        let length = example.length
        let plan = try #require(PartPlan(length: length, wanted: example.wanted, limits: amazon))
        #expect(plan.partSize == example.partSize)
        #expect(plan.count == example.count)
        #expect(plan.count <= amazon.maximumCount)
        #expect(plan.partSize * Int64(plan.count) >= length)
        #expect(plan.partSize * Int64(plan.count - 1) < length)
    }

    @Test func obeysASmallerNumberOfParts() throws {
        let plan = try #require(PartPlan(length: 100 << 30, wanted: 5 << 20, limits: small))
        #expect(plan.count <= 1000)
        #expect(plan.partSize == 103 << 20)
    }

    @Test func refusesWhatNoPartsCanHold() {
        #expect(PartPlan(length: (5 << 40) + 1, wanted: nil, limits: small) == nil)
        #expect(PartPlan(length: .max - (1 << 40), wanted: nil, limits: amazon) == nil)
    }

    @Test func streamedPartsReachFiveTebibytes() {
        for limits in [amazon, small] {
            var total: Int64 = 0
            var previous: Int64 = 0
            for number in 1...limits.maximumCount {
                guard let size = PartPlan.streamedPartSize(number: number, wanted: nil, limits: limits) else {
                    Issue.record("no part \(number)")
                    return
                }
                #expect(size >= max(previous, limits.minimumPart) && size <= limits.maximumPart)
                previous = size
                total += size
            }
            // 1000 parts of at most 5 GiB hold less than 5 TiB however they are cut, when the first ones are small.
            #expect(total >= (limits.maximumCount == 10_000 ? 5 << 40 : 2 << 40))
            #expect(PartPlan.streamedPartSize(number: limits.maximumCount + 1, wanted: nil, limits: limits) == nil)
        }
    }

    @Test func theFirstStreamedPartsFitTheMemory() throws {
        for number in [1, 500, 1000] {
            #expect(try #require(PartPlan.streamedPartSize(number: number, wanted: nil, limits: amazon)) <= 6 << 20)
        }
        #expect(PartPlan.streamedPartSize(number: 1, wanted: 64 << 20, limits: amazon) == 64 << 20)
        #expect(PartPlan.streamedPartSize(number: 1, wanted: 1 << 20, limits: amazon) ?? 0 >= 5 << 20)
    }
}
