/// The functions of the library sprig 3.3 that expressions may call, but for those of cryptography, network and environment.
package enum SprigFunction: String, Sendable {
    case hello
    // Dates
    case ago, date, date_in_zone, date_modify, dateInZone, dateModify, duration, durationRound, htmlDate, htmlDateInZone
    case must_date_modify, mustDateModify, mustToDate, now, toDate, unixEpoch
    // Texts
    case abbrev, abbrevboth, trunc, trim, upper, lower, title, untitle, substr, `repeat`, trimall, trimAll, trimSuffix,
        trimPrefix
    case nospace, initials, randAlphaNum, randAlpha, randAscii, randNumeric, swapcase, shuffle, snakecase, camelcase, kebabcase
    case wrap, wrapWith, contains, hasPrefix, hasSuffix, quote, squote, cat, indent, nindent, replace, plural, toString
    case split, splitList, splitn, toStrings, join, sortAlpha
    // Numbers
    case atoi, int64, int, float64, seq, toDecimal, until, untilStep, add1, add, sub, div, mod, mul, randInt, add1f, addf, subf,
        divf
    case mulf, biggest, max, min, maxf, minf, ceil, floor, round
    // Defaults
    case `default`, empty, coalesce, all, any, compact, mustCompact, fromJson, toJson, toPrettyJson, toRawJson, mustFromJson,
        mustToJson
    case mustToPrettyJson, mustToRawJson, ternary, deepCopy, mustDeepCopy
    // Types
    case typeOf, typeIs, typeIsLike, kindOf, kindIs, deepEqual
    // Paths
    case base, dir, clean, ext, isAbs, osBase, osClean, osDir, osExt, osIsAbs
    // Encodings
    case b64enc, b64dec, b32enc, b32dec
    // Lists and maps
    case tuple, list, dict, get, set, unset, hasKey, pluck, keys, pick, omit, merge, mergeOverwrite, mustMerge,
        mustMergeOverwrite, values
    case append, push, mustAppend, mustPush, prepend, mustPrepend, first, mustFirst, rest, mustRest, last, mustLast, initial,
        mustInitial
    case reverse, mustReverse, uniq, mustUniq, without, mustWithout, has, mustHas, slice, mustSlice, concat, dig, chunk,
        mustChunk
    case semver, semverCompare, fail
    // Regular expressions
    case regexMatch, mustRegexMatch, regexFindAll, mustRegexFindAll, regexFind, mustRegexFind, regexReplaceAll,
        mustRegexReplaceAll
    case regexReplaceAllLiteral, mustRegexReplaceAllLiteral, regexSplit, mustRegexSplit, regexQuoteMeta
    case urlParse, urlJoin

    /// The types of its arguments, a letter each: string, int, any, bool, map, time; the last in upper case may occur any number of times.
    package var signature: String {
        switch self {
        case .hello, .now: ""
        case .ago, .duration, .durationRound, .htmlDate, .int64, .int, .float64, .toDecimal, .add1, .add1f, .ceil, .floor,
            .empty, .compact,
            .mustCompact, .toJson, .toPrettyJson, .toRawJson, .mustToJson, .mustToPrettyJson, .mustToRawJson, .deepCopy,
            .mustDeepCopy,
            .typeOf, .kindOf, .first, .mustFirst, .rest, .mustRest, .last, .mustLast, .initial, .mustInitial, .reverse,
            .mustReverse,
            .uniq, .mustUniq, .sortAlpha, .toString, .toStrings:
            "a"
        case .sub, .div, .mod, .deepEqual, .append, .push, .mustAppend, .mustPush, .prepend, .mustPrepend, .has, .mustHas: "aa"
        case .add, .addf, .quote, .squote, .cat, .coalesce, .all, .any, .tuple, .list, .dict, .concat, .dig: "A"
        case .mul, .subf, .divf, .mulf, .biggest, .max, .min, .maxf, .minf, .default, .without, .mustWithout, .slice,
            .mustSlice:
            "aA"
        case .date, .join, .typeIs, .typeIsLike, .kindIs: "sa"
        case .date_in_zone, .dateInZone: "sas"
        case .date_modify, .dateModify, .must_date_modify, .mustDateModify: "st"
        case .htmlDateInZone: "as"
        case .toDate, .mustToDate, .trimall, .trimAll, .trimSuffix, .trimPrefix, .contains, .hasPrefix, .hasSuffix, .split,
            .splitList,
            .regexMatch, .mustRegexMatch, .regexFind, .mustRegexFind, .semverCompare:
            "ss"
        case .unixEpoch: "t"
        case .abbrev, .trunc, .repeat, .wrap, .indent, .nindent: "is"
        case .abbrevboth, .substr: "iis"
        case .wrapWith: "iss"
        case .trim, .upper, .lower, .title, .untitle, .nospace, .initials, .swapcase, .shuffle, .snakecase, .camelcase,
            .kebabcase, .atoi,
            .fromJson, .mustFromJson, .base, .dir, .clean, .ext, .isAbs, .osBase, .osClean, .osDir, .osExt, .osIsAbs, .b64enc,
            .b64dec,
            .b32enc, .b32dec, .semver, .fail, .regexQuoteMeta, .urlParse:
            "s"
        case .randAlphaNum, .randAlpha, .randAscii, .randNumeric, .until: "i"
        case .replace, .regexReplaceAll, .mustRegexReplaceAll, .regexReplaceAllLiteral, .mustRegexReplaceAllLiteral: "sss"
        case .plural, .regexFindAll, .mustRegexFindAll, .regexSplit, .mustRegexSplit: "ssi"
        case .splitn: "sis"
        case .seq: "I"
        case .untilStep: "iii"
        case .randInt: "ii"
        case .round: "aiA"
        case .ternary: "aab"
        case .get, .unset, .hasKey: "ms"
        case .set: "msa"
        case .pluck: "sM"
        case .keys: "M"
        case .pick, .omit: "mS"
        case .merge, .mergeOverwrite, .mustMerge, .mustMergeOverwrite: "mM"
        case .values, .urlJoin: "m"
        case .chunk, .mustChunk: "ia"
        }
    }
}
