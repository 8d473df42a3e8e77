// Made by scripts/testbed/signatures with botocore 1.44.8.

/// A request and its signature.
struct BotocoreSignature: Sendable {
    let method: String
    let host: String
    let key: [UInt8]
    let path: String
    let query: [(name: String, value: String)]
    let headers: [(name: String, value: String)]
    /// nil: not covered by the signature.
    let body: String?
    let hasToken: Bool
    let service: String
    let region: String
    let date: String
    let signedHeaders: String
    let signature: String

    static let accessKey = "AKIDEXAMPLE"
    static let secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    static let token = "IQoJb3JpZ2luX2VjE//+=="

    static let all: [BotocoreSignature] = [
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com",
            key: [112, 108, 97, 105, 110, 47, 107, 101, 121, 46, 116, 103, 122], path: "/plain/key.tgz", query: [], headers: [],
            body: "", hasToken: false, service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "8ccb1a19c7204c4326f823c52e969789c4e292c09943dd085172a8c13ec26a70"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [45, 46, 95, 126], path: "/-._~", query: [],
            headers: [], body: "", hasToken: true, service: "s3", region: "eu-west-3", date: "1999-12-31T23:59:59Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "1237af0acb4f57e5bbf4e5142d904af860f2e4ea4795de7af8f17ebbf0b27d57"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [97, 32, 98, 43, 99, 37, 50, 48, 100],
            path: "/a%20b%2Bc%2520d", query: [], headers: [], body: "", hasToken: false, service: "s3", region: "eu-west-3",
            date: "2038-01-19T03:14:08Z", signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "0f65db73b3787add0226110df6ee4b1e4b543f6f207ddfd97a1a05a72307dcc5"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com",
            key: [33, 42, 39, 40, 41, 64, 58, 44, 59, 61, 38, 36, 63, 35, 91, 93],
            path: "/%21%2A%27%28%29%40%3A%2C%3B%3D%26%24%3F%23%5B%5D", query: [], headers: [], body: "", hasToken: true,
            service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "f3b29b6b3d116798c6065b139688f92f5eb39eb6389bdfaf95fe13fb70d840d7"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com",
            key: [97, 47, 47, 98, 47, 46, 46, 47, 99, 47, 46, 47, 100, 47], path: "/a//b/../c/./d/", query: [], headers: [],
            body: "", hasToken: false, service: "s3", region: "eu-west-3", date: "1999-12-31T23:59:59Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "02e765d36a331433870814274ea136df129bfb56b4eef09403abe1a6c0882926"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [47, 108, 101, 97, 100, 105, 110, 103],
            path: "//leading", query: [], headers: [], body: "", hasToken: true, service: "s3", region: "eu-west-3",
            date: "2038-01-19T03:14:08Z", signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "ebc66cf8e880df40ab69d302165841ccf58559fa43ee7342e4dff8e52f05ee0e"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com",
            key: [195, 164, 47, 230, 151, 165, 230, 156, 172, 47, 240, 159, 153, 130],
            path: "/%C3%A4/%E6%97%A5%E6%9C%AC/%F0%9F%99%82", query: [], headers: [], body: "", hasToken: false, service: "s3",
            region: "eu-west-3", date: "2024-02-29T23:59:07Z", signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "c4f7bf4bd812f0c612c78cac09ab1218ee8370598ea6387d336c84949f0a57c8"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [108, 97, 116, 105, 110, 45, 228, 255],
            path: "/latin-%E4%FF", query: [], headers: [], body: "", hasToken: true, service: "s3", region: "eu-west-3",
            date: "1999-12-31T23:59:59Z", signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "3ae42568e017d4ac3a134ec61121ef9c2b6ea6a554b0495a79867f220b243f10"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com",
            key: [110, 117, 108, 45, 0, 45, 116, 97, 98, 45, 9, 45, 110, 108, 45, 10, 45, 100, 101, 108, 45, 127],
            path: "/nul-%00-tab-%09-nl-%0A-del-%7F", query: [], headers: [], body: "", hasToken: false, service: "s3",
            region: "eu-west-3", date: "2038-01-19T03:14:08Z", signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "385fc5ed4cbe926c43798a36f355fcbcb106ba1ca0da49fc25f92bf040b9428b"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [37], path: "/%25", query: [], headers: [],
            body: "", hasToken: true, service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "1d286dc1989661489f304feb371995ef945c4db5fdd16e7ae6cb85660fd21f7b"),
        BotocoreSignature(
            method: "GET", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [34, 60, 62, 92, 94, 96, 123, 124, 125],
            path: "/%22%3C%3E%5C%5E%60%7B%7C%7D", query: [], headers: [], body: "", hasToken: false, service: "s3",
            region: "eu-west-3", date: "1999-12-31T23:59:59Z", signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "3044f6e99259fe5c5d2dfd0a03bbc462f5afe8e7e86c4e8144a77cae3aef9ea5"),
        BotocoreSignature(
            method: "GET", host: "minio.argo:9000", key: [98, 107, 116], path: "/bkt", query: [], headers: [], body: "",
            hasToken: true, service: "s3", region: "us-east-1", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "1b40d0b296d0baa7e77da51c19f86d83d427574cfa3ff64bee67c9b47ee9f626"),
        BotocoreSignature(
            method: "GET", host: "minio.argo:9000", key: [98, 107, 116], path: "/bkt", query: [("uploads", "")], headers: [],
            body: "", hasToken: false, service: "s3", region: "us-east-1", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "715929054addabbf94677bf3e8dabcdfc36ea0abeeed395e771d739678386070"),
        BotocoreSignature(
            method: "GET", host: "minio.argo:9000", key: [98, 107, 116], path: "/bkt",
            query: [("partNumber", "10"), ("uploadId", "u/1 +=&é~*'")], headers: [], body: "", hasToken: true, service: "s3",
            region: "us-east-1", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "6612514299293e72c6c11a5074ea15ebc9e10ab246d99a26bfc8e30611db2343"),
        BotocoreSignature(
            method: "GET", host: "minio.argo:9000", key: [98, 107, 116], path: "/bkt",
            query: [
                ("list-type", "2"), ("prefix", "wf/a b+/"), ("continuation-token", "1/x=="), ("encoding-type", "url"),
                ("delimiter", ""),
            ], headers: [], body: "", hasToken: false, service: "s3", region: "us-east-1", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "98790c22537cb789a23ce7e4a25bc6fce1a1214922f898a8e2f37f9463714508"),
        BotocoreSignature(
            method: "GET", host: "minio.argo:9000", key: [98, 107, 116], path: "/bkt",
            query: [("b", "2"), ("a", "z"), ("a", "A"), ("a-", "1"), ("a", "")], headers: [], body: "", hasToken: true,
            service: "s3", region: "us-east-1", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "205a4635931fed25ad861e9abd6ca91bcf5a8382a7e6b0c265852c2618c99d1c"),
        BotocoreSignature(
            method: "GET", host: "minio.argo:9000", key: [98, 107, 116], path: "/bkt", query: [("location", "")], headers: [],
            body: "", hasToken: false, service: "s3", region: "us-east-1", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "57fc45941f9ea595d2a742c52163bee135d56c35e18ec02e7e06aadbddab1427"),
        BotocoreSignature(
            method: "PUT", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [107], path: "/k", query: [], headers: [],
            body: nil, hasToken: false, service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "cb4040810508a4914ed0a08ca393115007b68e1408a72c9fb2865b81f805b11f"),
        BotocoreSignature(
            method: "PUT", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [107], path: "/k", query: [], headers: [],
            body: "<Delete/>", hasToken: true, service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "3176ed9a2421fe498b43f492ea83c9ee24b71a8f0a99ea1a9dac8b2abe4eb55e"),
        BotocoreSignature(
            method: "PUT", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [107], path: "/k", query: [],
            headers: [("Range", "bytes=0-99"), ("If-Match", "\"abc\"")], body: nil, hasToken: false, service: "s3",
            region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;if-match;range;x-amz-content-sha256;x-amz-date",
            signature: "f402a59961600e6d6955516b6acfaaab91249194101e8bba363af769d64737c9"),
        BotocoreSignature(
            method: "PUT", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [107], path: "/k", query: [],
            headers: [("Range", "bytes=0-99"), ("If-Match", "\"abc\"")], body: "<Delete/>", hasToken: true, service: "s3",
            region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;if-match;range;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            signature: "f51765cdc493060de90493510c5f35e12d9cc1911910f78d776fead351e3e02d"),
        BotocoreSignature(
            method: "PUT", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [107], path: "/k", query: [],
            headers: [("Content-Type", "text/plain;  charset=utf-8 "), ("x-amz-meta-b", " two  blanks ")], body: nil,
            hasToken: false, service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-b",
            signature: "3f7138215867509c24a22b6b328a5d0ca1330abc31d7437016b93c1c75e98321"),
        BotocoreSignature(
            method: "PUT", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [107], path: "/k", query: [],
            headers: [("Content-Type", "text/plain;  charset=utf-8 "), ("x-amz-meta-b", " two  blanks ")], body: "<Delete/>",
            hasToken: true, service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-b;x-amz-security-token",
            signature: "efb33b880fff33e7a37aa428713234d329addc4bfc1716f6c47dbc5c895b10f1"),
        BotocoreSignature(
            method: "PUT", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [107], path: "/k", query: [],
            headers: [("x-amz-server-side-encryption-context", "eyJrIjoidiJ9"), ("X-Amz-Checksum-Type", "FULL_OBJECT")],
            body: nil, hasToken: false, service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders: "host;x-amz-checksum-type;x-amz-content-sha256;x-amz-date;x-amz-server-side-encryption-context",
            signature: "4fdea530916d4f1623ccd12fee571f0cc4aa4b07011d2b933eab61d299ce909d"),
        BotocoreSignature(
            method: "PUT", host: "bkt.s3.dualstack.eu-west-3.amazonaws.com", key: [107], path: "/k", query: [],
            headers: [("x-amz-server-side-encryption-context", "eyJrIjoidiJ9"), ("X-Amz-Checksum-Type", "FULL_OBJECT")],
            body: "<Delete/>", hasToken: true, service: "s3", region: "eu-west-3", date: "2024-02-29T23:59:07Z",
            signedHeaders:
                "host;x-amz-checksum-type;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-server-side-encryption-context",
            signature: "fc8146b0b127a2f8690da327b1d43fde0704891572ce80f21fac8dfbf42acabd"),
        BotocoreSignature(
            method: "POST", host: "sts.eu-west-3.amazonaws.com", key: [], path: "/", query: [],
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr", hasToken: false,
            service: "sts", region: "eu-west-3", date: "2024-02-29T23:59:07Z", signedHeaders: "content-type;host;x-amz-date",
            signature: "e64761c870bbabe6077ed5fd1df1b78c21132811865bf3a3649b3a47ad180b0f"),
        BotocoreSignature(
            method: "POST", host: "sts.cn-north-1.amazonaws.com", key: [], path: "/", query: [],
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr", hasToken: true,
            service: "sts", region: "cn-north-1", date: "2024-02-29T23:59:07Z",
            signedHeaders: "content-type;host;x-amz-date;x-amz-security-token",
            signature: "e21826d3800fc2cc1a820cf128389bad5cc50ac59f0f467631aa5be47efef947"),
        BotocoreSignature(
            method: "POST", host: "sts.us-east-1.amazonaws.com", key: [], path: "/", query: [],
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr", hasToken: true,
            service: "sts", region: "us-east-1", date: "2024-02-29T23:59:07Z",
            signedHeaders: "content-type;host;x-amz-date;x-amz-security-token",
            signature: "1e1737261ed8df9b687e28347ff1ca3cc230f7798b2158e9cc509a93a8426b5f"),
        BotocoreSignature(
            method: "POST", host: "sts.example.com", key: [97, 32, 98, 47, 99], path: "/a%20b/c", query: [],
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], body: "Action=X", hasToken: false,
            service: "sts", region: "eu-west-3", date: "2024-02-29T23:59:07Z", signedHeaders: "content-type;host;x-amz-date",
            signature: "e3472696c6fab485073b0154df00016a0112cf55f62e0e83b3a26c61f39da7f1"),
    ]
}
