// Package odata owns the query language of Microsoft Graph as clients use it in
// practice: $filter as a bounded expression with an evaluator, and the system
// query options $select, $expand, $orderby, $top, $skip, $count, $search,
// $skiptoken and $deltatoken.
//
// It knows no resource: rows give their fields by name (see [Fielder]) and the
// caller checks which names exist. Everything it reads comes from strangers:
// length, depth and number of terms are bounded, and no input panics.
//
// Sources: contracts.md section 3.0; OASIS OData 4.01 URL conventions.
package odata
