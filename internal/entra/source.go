package entra

// Source says where a row is from: a section of the contracts that the product
// is written from, or a document of Microsoft's.
type Source string

// known marks what is general knowledge, read in no document for this table.
const known Source = "general knowledge (K)"
