/* RE2 is C++: the C face stands in the target CRE2. */
