"""Tables that people bring: workbooks, text files and what they paste, read as rows of text; and workbooks for them."""
