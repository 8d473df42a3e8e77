// Made by scripts/testbed/signatures-google with google-auth 2.63.0.

/// An assertion of a service account, signed with a key that is used nowhere else.
struct GoogleAssertion: Sendable {
    let header: String
    let claims: String
    let token: String

    /// PKCS #8.
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCmQuWffNx4xYCD
        vVxAq9gcDH1EahYO85eo07HxmaVJz7uNR/WhVlBF9mH2zYF3n0Xs+JIoiRJZIn9Y
        OCuBFCy/GcyR/ShYEwnoYlGakjQP2YirPTHpToAoYzuINA0i8IswtNyDctuqV+2l
        LT4Jx5xc9hhA0OR/eYveFaQG67F7bDijCqZArRgy6CcCcYasShPuIXz4LtBJKmDL
        FE1xGJ+mTc88xv5AX4mCUvMZYANeD1Oasu7GLaqE8fo0r9B85y0NJJa+iO/cl4W9
        ABwvvsjz0lTg0SnwF26KsoEZmx7bCjiR9sfTGvl1aysvYZFcfx7adZMVVSfraFzH
        +1mvk3N1AgMBAAECggEAGUFCJgbOap39loVWFRDFZAVVpeXDcgP4fpGhjwR6wgqG
        /7/1hMtaqDXzzYyL5QLRmVxsvzGLEvUViO4HVbUd0u11UJu23CIQODdvE96vf9TY
        WMKT6U+eUgQ4z8iwUiVdz0k50dHJokd29sc3jD7A9rH/HyFcBC0PXO3Gm7KDpC6e
        csBwc1sOaheQgSD2m4a7JEWbimmGufVjQ+/r1P51IKeRn58KqWU1xMWFvAerC1sW
        iiWyn63/iUQmV4Y4Li1SEdcTqnFKDrvAskhsWQtrL0hog1blRlN0kHoiMAZ/hEmg
        2Hty/EikaBQI6ButdsfFz7K3uLl/CXNWlatJOHj3RQKBgQDXqjUIR6GFUTvWc7r+
        vkelTgIeT/mp2W7LuDTD1nTKjN655MWisKXLT9VvYDu/e5mH4/qpF6lLT+BaBnBl
        hSxlBnaQIKchD2x/+5lscwMn9QutPt+Dw9SoGjuuIboixJI5SfVXLAMnzh1VDWvj
        iPgcUANi+pvEqB4XA8QDGv5biwKBgQDFW02GN37jktre2ba3v5V7sGGeRvmJnAm6
        BNPeVuxL03GLgKujz7WmYoulKkfNaWMaZdZ35RHhRUcf3hplEY+fwErGn2aDh+ul
        3FKI65E3v5paFJmOlfwwNbYlExGFpYwafFRceQUhsCOPaSbIBNF+Pz1bZfZ3/bgu
        PISDkDtM/wKBgC1qWXqh4wC5J5m0i1dj6KCF+eo6O0AqWqup4eqvua6B1dFdvMTS
        4EcdS7wFju927tDwEHQVWIBUlNFAc+DdF4k6wDL/vVI39khJSnjNC4gZkVjtWZJc
        5eZ0h8bWsWTq8kQAMBsoWI3EWOb1SZgD2wPTUbNBRRY3tQZxs5BX2eKbAoGAKgMA
        osSnh0xYuT3BTqZC7PykGyxirG+CBo5Gh7sbPBz7u8WdRBbQRWYO8g7pEAoSJalu
        GUGzJ7A2rsr59W/ikhA+GsAN84v4lusqyqjS1fo8olZmRdsZvy1/466GeVu/UlgL
        IVBFzmEPgNTSg5u6+NP/fLhc2jgxf+40C0mlxgMCgYAa1p2F7NK7oTXgqW9GqUZx
        jDquDvclx3t6vgSTCEI3lwzYNYecUTKQnbAI1NbL2za0Ch+Z0rnLwk7yMGbNszDv
        wF0nKh7FLcCV0xOx1t2YC0zqJh8MTRKfTVd3NgD1flPoY00JXa6FCasZVRHyZqQf
        tI7GRmb5x/Nlz1IjXWnsEw==
        -----END PRIVATE KEY-----
        """

    /// PKCS #1.
    static let traditionalKey = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEogIBAAKCAQEApkLln3zceMWAg71cQKvYHAx9RGoWDvOXqNOx8ZmlSc+7jUf1
        oVZQRfZh9s2Bd59F7PiSKIkSWSJ/WDgrgRQsvxnMkf0oWBMJ6GJRmpI0D9mIqz0x
        6U6AKGM7iDQNIvCLMLTcg3LbqlftpS0+CcecXPYYQNDkf3mL3hWkBuuxe2w4owqm
        QK0YMugnAnGGrEoT7iF8+C7QSSpgyxRNcRifpk3PPMb+QF+JglLzGWADXg9TmrLu
        xi2qhPH6NK/QfOctDSSWvojv3JeFvQAcL77I89JU4NEp8BduirKBGZse2wo4kfbH
        0xr5dWsrL2GRXH8e2nWTFVUn62hcx/tZr5NzdQIDAQABAoIBABlBQiYGzmqd/ZaF
        VhUQxWQFVaXlw3ID+H6RoY8EesIKhv+/9YTLWqg1882Mi+UC0ZlcbL8xixL1FYju
        B1W1HdLtdVCbttwiEDg3bxPer3/U2FjCk+lPnlIEOM/IsFIlXc9JOdHRyaJHdvbH
        N4w+wPax/x8hXAQtD1ztxpuyg6QunnLAcHNbDmoXkIEg9puGuyRFm4pphrn1Y0Pv
        69T+dSCnkZ+fCqllNcTFhbwHqwtbFoolsp+t/4lEJleGOC4tUhHXE6pxSg67wLJI
        bFkLay9IaINW5UZTdJB6IjAGf4RJoNh7cvxIpGgUCOgbrXbHxc+yt7i5fwlzVpWr
        STh490UCgYEA16o1CEehhVE71nO6/r5HpU4CHk/5qdluy7g0w9Z0yozeueTForCl
        y0/Vb2A7v3uZh+P6qRepS0/gWgZwZYUsZQZ2kCCnIQ9sf/uZbHMDJ/ULrT7fg8PU
        qBo7riG6IsSSOUn1VywDJ84dVQ1r44j4HFADYvqbxKgeFwPEAxr+W4sCgYEAxVtN
        hjd+45La3tm2t7+Ve7Bhnkb5iZwJugTT3lbsS9Nxi4Cro8+1pmKLpSpHzWljGmXW
        d+UR4UVHH94aZRGPn8BKxp9mg4frpdxSiOuRN7+aWhSZjpX8MDW2JRMRhaWMGnxU
        XHkFIbAjj2kmyATRfj89W2X2d/24LjyEg5A7TP8CgYAtall6oeMAuSeZtItXY+ig
        hfnqOjtAKlqrqeHqr7mugdXRXbzE0uBHHUu8BY7vdu7Q8BB0FViAVJTRQHPg3ReJ
        OsAy/71SN/ZISUp4zQuIGZFY7VmSXOXmdIfG1rFk6vJEADAbKFiNxFjm9UmYA9sD
        01GzQUUWN7UGcbOQV9nimwKBgCoDAKLEp4dMWLk9wU6mQuz8pBssYqxvggaORoe7
        Gzwc+7vFnUQW0EVmDvIO6RAKEiWpbhlBsyewNq7K+fVv4pIQPhrADfOL+JbrKsqo
        0tX6PKJWZkXbGb8tf+Ouhnlbv1JYCyFQRc5hD4DU0oObuvjT/3y4XNo4MX/uNAtJ
        pcYDAoGAGtadhezSu6E14KlvRqlGcYw6rg73Jcd7er4EkwhCN5cM2DWHnFEykJ2w
        CNTWy9s2tAofmdK5y8JO8jBmzbMw78BdJyoexS3AldMTsdbdmAtM6iYfDE0Sn01X
        dzYA9X5T6GNNCV2uhQmrGVUR8makH7SOxkZm+cfzZc9SI11p7BM=
        -----END RSA PRIVATE KEY-----
        """

    static let all: [GoogleAssertion] = [
        GoogleAssertion(
            header: #"{"typ": "JWT", "alg": "RS256", "kid": "id-0"}"#,
            claims:
                #"{"iat": 1709251147, "exp": 1709254747, "iss": "\u00e4rgo-0@project.iam.gserviceaccount.com", "aud": "https://oauth2.googleapis.com/token", "scope": "https://www.googleapis.com/auth/devstorage.read_write"}"#,
            token:
                "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJSUzI1NiIsICJraWQiOiAiaWQtMCJ9.eyJpYXQiOiAxNzA5MjUxMTQ3LCAiZXhwIjogMTcwOTI1NDc0NywgImlzcyI6ICJcdTAwZTRyZ28tMEBwcm9qZWN0LmlhbS5nc2VydmljZWFjY291bnQuY29tIiwgImF1ZCI6ICJodHRwczovL29hdXRoMi5nb29nbGVhcGlzLmNvbS90b2tlbiIsICJzY29wZSI6ICJodHRwczovL3d3dy5nb29nbGVhcGlzLmNvbS9hdXRoL2RldnN0b3JhZ2UucmVhZF93cml0ZSJ9.PEq23J5BtTEhjwxj18SUCLijfGLmubZkazJA_z-KBv8xsFC86Z4OiX14Wk56G8sLn9DJfzCqKOyBUBGQd58vWF9eALosrNUjrzYigJxv9aCdQyB0yyffMM4ElQ6lkxRSkgm22geDuTp6O54c3xVmmN08mTxTXoypZsDxk_TSeIIcxkWa5EDcNNk37T_UIzOwfjp1Sh1feMNDmQp9Rnpdpr5awEaBIK5EgDk8pYy6uE72DZIPUCM8NMuYQ_SLf9Dn8Y6DVT_cMjaPHe6VUXbC4dvC_B_7_vMMRliozxNTPpMbA27Y9lhs9Nu63DHPMFO5J7MEpJKLtzIxbpbogeMn5Q"
        ),
        GoogleAssertion(
            header: #"{"typ": "JWT", "alg": "RS256", "kid": "id-1"}"#,
            claims:
                #"{"iat": 946684799, "exp": 946688399, "iss": "\u00e4rgo-1@project.iam.gserviceaccount.com", "aud": "https://oauth2.googleapis.com/token", "scope": "https://www.googleapis.com/auth/devstorage.read_write"}"#,
            token:
                "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJSUzI1NiIsICJraWQiOiAiaWQtMSJ9.eyJpYXQiOiA5NDY2ODQ3OTksICJleHAiOiA5NDY2ODgzOTksICJpc3MiOiAiXHUwMGU0cmdvLTFAcHJvamVjdC5pYW0uZ3NlcnZpY2VhY2NvdW50LmNvbSIsICJhdWQiOiAiaHR0cHM6Ly9vYXV0aDIuZ29vZ2xlYXBpcy5jb20vdG9rZW4iLCAic2NvcGUiOiAiaHR0cHM6Ly93d3cuZ29vZ2xlYXBpcy5jb20vYXV0aC9kZXZzdG9yYWdlLnJlYWRfd3JpdGUifQ.l0cPN3ElOQtxFdKLLg1Rr61nPHRDwJzsz4nRRvFWS-ya4DERt1nH6SKomNCxjp2LZQ0dTZ73IW2fSPd001s7PlH1gfpYOnmN1xYKzu4XwcCW3ZOYK4iCN8eedQ0FHyJFooiN6gJk0G2aVbg4DE4Lijg1i5IVAhxjJn7i4By4PSw-iv4LLlwDBejbemTPxKFTjZ3RkP6Sp-WFI_6takXxe0oegJuC1e3UR1AvK-S0O4g9T23hL3njE0j6dSC2yApLOjJ6DE4cRGWw7wPqGTOeqoypxfft5Dv9Sol32NBysVeUGXutTVZharpvQTqijfl9q7otN4Eej-I_cTESY-UT6w"
        ),
        GoogleAssertion(
            header: #"{"typ": "JWT", "alg": "RS256", "kid": "id-2"}"#,
            claims:
                #"{"iat": 2147483648, "exp": 2147487248, "iss": "\u00e4rgo-2@project.iam.gserviceaccount.com", "aud": "https://oauth2.googleapis.com/token", "scope": "https://www.googleapis.com/auth/devstorage.read_write"}"#,
            token:
                "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJSUzI1NiIsICJraWQiOiAiaWQtMiJ9.eyJpYXQiOiAyMTQ3NDgzNjQ4LCAiZXhwIjogMjE0NzQ4NzI0OCwgImlzcyI6ICJcdTAwZTRyZ28tMkBwcm9qZWN0LmlhbS5nc2VydmljZWFjY291bnQuY29tIiwgImF1ZCI6ICJodHRwczovL29hdXRoMi5nb29nbGVhcGlzLmNvbS90b2tlbiIsICJzY29wZSI6ICJodHRwczovL3d3dy5nb29nbGVhcGlzLmNvbS9hdXRoL2RldnN0b3JhZ2UucmVhZF93cml0ZSJ9.N4K65xgMhDwounBcZdZSyRBIDqc02142t-3JYUSriSXBJgJPT8wrVmT3fuf2on6tu99Znu_CncMSQVEHwOOUYiyr2-X5nK_TkFU08pDlGPqtkwJKyJv_QeJXeZv87aAX8_iGllh6cgExUZer6DA9B0X21fCrUvk4OjnQlAKTKUMZJs-ps3_QoR0o47CHhgTh6rgUZQ1pFXSgRNeSzKM4BX3frkmhO-LWm--pEK0FLLO-_-GEQ1Whk4JzzYMoC6uWD5o2bbgMieINCTvTuXAchM_6JSYFza1CVs_grVo2wgW9GK7jsUjotHtdQGBRwLIqPUumdOxYIEjZS7CsQYKkOA"
        ),
    ]
}
