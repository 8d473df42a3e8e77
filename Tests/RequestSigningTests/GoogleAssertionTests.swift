import SystemSupport
import Testing

@testable import RequestSigning

/// Against assertions that google-auth signed.
@Suite struct GoogleAssertionTests {
    @Test(arguments: GoogleAssertion.all.indices) func signsAsGoogleAuthDoes(index: Int) {
        let golden = GoogleAssertion.all[index]
        for key in [GoogleAssertion.key, GoogleAssertion.traditionalKey] {
            let token = JSONWebToken.signed(
                header: Array(golden.header.utf8), claims: Array(golden.claims.utf8), key: Secret(key))
            #expect(token?.revealText() == golden.token)
        }
    }

    @Test(arguments: ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
    func aKeyThatCannotBeReadSignsNothing(key: String) {
        #expect(JSONWebToken.signed(header: [], claims: [], key: Secret(key)) == nil)
    }
}
