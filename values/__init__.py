"""The ground floor: pure functions that read digits, numbers and dates from columns of text. They know no meaning."""
